// Go's tokens, as far as they are worth a colour: comments, strings, keywords, numbers.

const keywords = new Set(
  ("break case chan const continue default defer else fallthrough for func go goto if import interface map package " +
    "range return select struct switch type var").split(" "),
);
const constants = new Set(["true", "false", "nil", "iota"]);

const token =
  /(?<comment>\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<string>"(?:[^"\\\n]|\\.)*"?|`[^`]*`?|'(?:[^'\\\n]|\\.)*'?)|(?<word>[\p{L}_][\p{L}\p{Nd}_]*)|(?<number>\d[\w.]*)/gu;

// Ranges [start, end, class] in order, over the whole text.
const highlight = (text) => {
  const ranges = [];
  for (const match of text.matchAll(token)) {
    const { comment, string, word, number: digits } = match.groups;
    const kind =
      (comment && "comment") ||
      (string && "string") ||
      (word && keywords.has(word) && "keyword") ||
      ((digits || (word && constants.has(word))) && "constant");
    if (kind) ranges.push([match.index, match.index + match[0].length, kind]);
  }
  return ranges;
};
