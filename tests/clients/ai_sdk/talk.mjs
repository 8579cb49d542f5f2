// Vercel's AI SDK: a talk with a tool, whole and streamed, over three APIs, and an answer of a type.
import assert from "node:assert/strict";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const url = process.env.GATEWAY;
const openai = createOpenAICompatible({ name: "gateway", baseURL: `${url}/v1`, apiKey: "k" });
const anthropic = createAnthropic({ baseURL: `${url}/v1`, apiKey: "k" });
const responses = createOpenAI({ baseURL: `${url}/v1`, apiKey: "k" });
const weather = tool({
  description: "Tell the weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `rain in ${city}`,
});

for (const named of [openai, anthropic]) {
  const asked = "What is the capital of Norway?";
  const said = await generateText({ model: named("auto"), prompt: asked });
  assert.equal(said.text, "Oslo is the capital of Norway.");
  assert.equal(said.usage.inputTokens, 20);

  const pieces = [];
  for await (const piece of streamText({ model: named("dear"), prompt: asked }).textStream) {
    pieces.push(piece);
  }
  assert.equal(pieces.join(""), "Oslo is the capital of Norway.");
  assert.ok(pieces.length > 3, String(pieces.length));

  const armed = {
    model: named("dear"), prompt: "Weather in Oslo?", tools: { weather }, stopWhen: stepCountIs(3),
  };
  const told = await generateText(armed);
  assert.equal(told.text, "It is rain in Oslo.");
  assert.deepEqual(told.steps[0].toolCalls[0].input, { city: "Oslo" });
  assert.equal(await streamText(armed).text, "It is rain in Oslo.");
}

const city = z.object({ name: z.string(), people: z.number().int() });
const model = createOpenAICompatible({
  name: "gateway", baseURL: `${url}/v1`, apiKey: "k", supportsStructuredOutputs: true,
})("dear");
const typed = await generateText({
  model, prompt: "Which city?", output: Output.object({ schema: city }),
});
assert.deepEqual(typed.output, { name: "Oslo", people: 3 });

// The Responses API: kept here, so that the SDK names items instead of sending them, and not kept.
for (const store of [true, false]) {
  const kept = { model: responses("dear"), providerOptions: { openai: { store } } };
  const asked = "What is the capital of Norway?";
  const said = await generateText({ ...kept, prompt: asked });
  assert.equal(said.text, "Oslo is the capital of Norway.");
  const turns = [
    { role: "user", content: asked }, ...said.response.messages, { role: "user", content: "Sure?" },
  ];
  assert.equal((await generateText({ ...kept, messages: turns })).text, said.text);
  const armed = {
    ...kept, prompt: "Weather in Oslo?", tools: { weather }, stopWhen: stepCountIs(3),
  };
  assert.equal((await generateText(armed)).text, "It is rain in Oslo.");
  assert.equal(await streamText(armed).text, "It is rain in Oslo.");
}
const shaped = await generateText({
  model: responses("dear"), prompt: "Which city?", output: Output.object({ schema: city }),
});
assert.deepEqual(shaped.output, { name: "Oslo", people: 3 });
