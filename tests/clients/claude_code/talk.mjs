// Claude Code, without a terminal: it is told to run a command, does, and says what came of it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const home = mkdtempSync(join(tmpdir(), "claude-"));
const program = join(
  import.meta.dirname, "node_modules", "@anthropic-ai",
  `claude-code-${process.platform}-${process.arch}`, "claude",
);
const env = {
  PATH: process.env.PATH,
  HOME: home,
  ANTHROPIC_BASE_URL: process.env.GATEWAY,
  ANTHROPIC_AUTH_TOKEN: "k",
  ANTHROPIC_MODEL: "auto",
  ANTHROPIC_SMALL_FAST_MODEL: "cheap",
  CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
  DISABLE_AUTOUPDATER: "1",
  NO_PROXY: "127.0.0.1",
};

async function told(prompt, ...more) {
  const words = ["-p", prompt, "--output-format", "json", "--allowedTools", "Bash", ...more];
  const child = spawn(program, words, {
    env, cwd: home, stdio: ["ignore", "pipe", "inherit"], timeout: 40_000,
  });
  let out = "";
  for await (const piece of child.stdout) out += piece;
  return JSON.parse(out);
}

const first = await told('call Bash {"command": "echo Oslo | tee found.txt"}');
assert.equal(first.is_error, false, JSON.stringify(first));
assert.equal(first.result, "It is Oslo.");
assert.equal(first.num_turns, 2);
assert.equal(readFileSync(join(home, "found.txt"), "utf8"), "Oslo\n");
assert.ok(first.usage.input_tokens > 0, JSON.stringify(first.usage));

const second = await told('call Bash {"command": "cat found.txt"}', "--resume", first.session_id);
assert.equal(second.result, "It is Oslo.");
