// The rows of a long table: only those in view are elements. A short table has them all, so that the browser finds text
// in it.

const ALL_AT_ONCE = 300;
const ROW_HEIGHT = 36; // as in the style
const MARGIN = 24;

const list = { table: null, makers: [], made: new Map(), body: null, above: null, below: null };

const spacer = () => element("tr", { class: "spacer", "aria-hidden": "true" }, element("td", { colspan: 4 }));

const setHeight = (row, rows) => {
  row.hidden = rows === 0;
  row.firstChild.style.height = `${rows * ROW_HEIGHT}px`;
};

const updateRows = () => {
  if (!list.above || !list.table.isConnected || list.table.closest("[hidden]")) return;
  const top = -list.table.getBoundingClientRect().top;
  const count = list.makers.length;
  const first = Math.min(Math.max(0, Math.floor(top / ROW_HEIGHT) - MARGIN), Math.max(0, count - 1));
  const last = Math.min(count, Math.ceil((top + innerHeight) / ROW_HEIGHT) + MARGIN);
  for (const [position, row] of list.made) {
    if (position < first || position >= last) {
      row.remove();
      list.made.delete(position);
    }
  }
  // Those that stay are not touched: one of them may have the focus.
  let next = list.below;
  for (let position = Math.max(first, last) - 1; position >= first; position -= 1) {
    let row = list.made.get(position);
    if (!row) {
      row = list.makers[position]();
      row.setAttribute("aria-rowindex", position + 2);
      list.made.set(position, row);
      list.body.insertBefore(row, next);
    }
    next = row;
  }
  setHeight(list.above, first);
  setHeight(list.below, Math.max(0, count - last));
};

// `makers` are functions that make a row each.
const showRows = (table, makers) => {
  const body = element("tbody");
  Object.assign(list, { table, makers, body, made: new Map(), above: null, below: null });
  table.classList.toggle("long", makers.length > ALL_AT_ONCE);
  table.setAttribute("aria-rowcount", makers.length + 1);
  if (makers.length > ALL_AT_ONCE) {
    [list.above, list.below] = [spacer(), spacer()];
    body.append(list.above, list.below);
  } else {
    body.append(...makers.map((make) => make()));
  }
  if (table.tBodies[0]) table.tBodies[0].replaceWith(body);
  else table.append(body);
  updateRows();
};

const prepareRows = () => {
  let isAsked = false;
  const later = () => {
    if (isAsked) return;
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      updateRows();
    });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", later, { passive: true });
};
