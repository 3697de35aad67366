// Which kinds of test ran something. A set of kinds is a number: the first kind is its lowest bit.

const kindCount = index?.kinds.length ?? 0;
const allKinds = (1 << kindCount) - 1;
const hasKinds = kindCount >= 2 && kindCount <= 3;

const kindName = (mask) => {
  if (mask === 0) return kindCount === 2 ? "neither" : "none";
  if (mask === allKinds) return kindCount === 2 ? "both" : "all";
  return index.kinds.filter((_, kind) => mask & (1 << kind)).map(({ label }) => label).join(" + ");
};
const kindWords = (mask) =>
  mask === 0 || mask === allKinds ? kindName(mask) : `only ${kindName(mask)}`;

// All of them first, then each by itself, and none at the end.
const kindOrder = Array.from({ length: allKinds + 1 }, (_, mask) => mask).sort(
  (one, other) => (one === 0) - (other === 0) || (other === allKinds) - (one === allKinds) || one - other,
);
const kindClass = (mask) => (mask === 0 ? "kind-none" : mask === allKinds ? "kind-all" : `kind-${mask}`);

const kindBar = (kinds) => {
  const total = kinds.reduce((one, other) => one + other, 0);
  const words = kindOrder.map((mask) => `${kindWords(mask)} ${number(kinds[mask])}`).join(", ");
  const parts = kindOrder.filter((mask) => mask !== 0 && kinds[mask] > 0).map((mask) => {
    const part = element("span", { class: `filled ${kindClass(mask)}` });
    part.style.width = `${(100 * kinds[mask]) / total}%`;
    return part;
  });
  return element("span", { class: "bar kinds-bar", role: "img", title: words, "aria-label": words }, parts);
};

// Buttons that say how much each set of kinds has, and choose one of them.
const kindLegend = (values, chosen, unit, choose) =>
  kindOrder.map((mask) =>
    element(
      "button",
      {
        type: "button",
        class: `kind-choice ${kindClass(mask)}`,
        "aria-pressed": String(chosen === mask),
        onclick: () => choose(chosen === mask ? null : mask),
      },
      element("span", { class: "swatch", "aria-hidden": "true" }),
      element("span", {}, kindWords(mask)),
      element("strong", {}, number(values[mask] ?? 0)),
      element("span", { class: "visually-hidden" }, unit),
    ),
  );
