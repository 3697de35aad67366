// Directories of packages with their files, as a tree. Builds no elements.

const sumKinds = (list) =>
  list.reduce((sums, kinds) => (kinds ? kinds.map((value, mask) => value + (sums?.[mask] ?? 0)) : sums), null);

// What has one directory in it and nothing else is one step: `example.com/shop`.
const collapse = (node) => {
  while (node.files.length === 0 && node.children.size === 1) {
    const [only] = node.children.values();
    node.label = node.label ? `${node.label}/${only.label}` : only.label;
    [node.path, node.files, node.children] = [only.path, only.files, only.children];
  }
  node.directories = [...node.children.values()];
  for (const child of node.directories) collapse(child);
  const parts = [...node.directories, ...node.files];
  node.totals = sum(parts.map((part) => part.totals));
  node.kinds = sumKinds(parts.map((part) => part.kinds));
  node.name = node.path;
};

// Rows are files with `file`, `name` and `totals`. Paths begin below `above`.
const treeOf = (rows, above = "") => {
  const make = (label, path) => ({ label, path, files: [], children: new Map() });
  const root = make("", above);
  for (const row of rows) {
    let node = root;
    const path = index.packages[row.file.package];
    const below = above ? path.slice(above.length + 1) : path;
    for (const step of below === "" ? [] : below.split("/")) {
      if (!node.children.has(step)) node.children.set(step, make(step, node.path ? `${node.path}/${step}` : step));
      node = node.children.get(step);
    }
    node.files.push(row);
  }
  collapse(root);
  return root;
};

const isBelow = (path, above) => above === "" || path === above || path.startsWith(`${above}/`);
