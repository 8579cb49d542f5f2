const specs = JSON.parse(document.getElementById("specs").textContent);
const dark = matchMedia("(prefers-color-scheme: dark)");
const draw = () => {
  const ink = getComputedStyle(document.documentElement).getPropertyValue("--ink").trim();
  const line = getComputedStyle(document.documentElement).getPropertyValue("--line").trim();
  const config = {
    background: "transparent",
    font: "system-ui, sans-serif",
    view: { stroke: line },
    axis: { labelColor: ink, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, titleFontWeight: "normal" },
    legend: { labelColor: ink, titleColor: ink, titleFontWeight: "normal" },
  };
  for (const [name, spec] of Object.entries(specs)) {
    const place = document.getElementById(name);
    const room = place.clientWidth;
    const fitted = typeof spec.width === "number" ? { ...spec, width: Math.min(spec.width * 1.4, room) } : spec;
    vegaEmbed(place, { ...fitted, config }, { actions: false, renderer: "svg", tooltip: { theme: dark.matches ? "dark" : "light" } });
  }
};
draw();
dark.addEventListener("change", draw);
