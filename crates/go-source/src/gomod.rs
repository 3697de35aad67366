//! The directives of go.mod and go.work that say where sources are. Text in, values out; opens no file.
//!
//! Both files share one grammar (<https://go.dev/ref/mod#go-mod-file-lexical>): a directive a line, or a block in
//! parentheses, with `//` comments and quoted strings. Unknown directives are passed over, as newer versions of
//! Go add them.

/// What a go.mod or go.work says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct GoMod {
    /// The module path; none in a go.work.
    pub module: Option<String>,
    /// Path and version of each required module.
    pub requires: Vec<(String, String)>,
    /// Modules whose code comes from elsewhere.
    pub replaces: Vec<Replace>,
    /// The directories of a workspace.
    pub uses: Vec<String>,
}

/// `replace path [version] => target [target_version]`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Replace {
    pub path: String,
    pub version: Option<String>,
    pub target: String,
    /// None when `target` is a directory.
    pub target_version: Option<String>,
}

/// Reads what is there; a line that makes no sense is left out.
pub(crate) fn parse(text: &str) -> GoMod {
    let mut file = GoMod::default();
    let mut block: Option<String> = None;
    for line in text.lines() {
        let words = words(line);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match (block.as_deref(), words.as_slice()) {
            (_, []) => {}
            (Some(_), [")"]) => block = None,
            (Some(directive), arguments) => file.add(directive, arguments),
            (None, [directive, "("]) => block = Some((*directive).to_owned()),
            (None, [directive, arguments @ ..]) => file.add(directive, arguments),
        }
    }
    file
}

impl GoMod {
    fn add(&mut self, directive: &str, arguments: &[&str]) {
        match (directive, arguments) {
            ("module", [path]) => self.module = Some((*path).to_owned()),
            ("require", [path, version]) => self.requires.push(((*path).to_owned(), (*version).to_owned())),
            ("use", [directory]) => self.uses.push((*directory).to_owned()),
            ("replace", [path, rest @ ..]) => {
                let (version, target) = match rest {
                    ["=>", target @ ..] => (None, target),
                    [version, "=>", target @ ..] => (Some((*version).to_owned()), target),
                    _ => return,
                };
                let (target, target_version) = match target {
                    [directory] => (*directory, None),
                    [module, version] => (*module, Some((*version).to_owned())),
                    _ => return,
                };
                let (path, target) = ((*path).to_owned(), target.to_owned());
                self.replaces.push(Replace { path, version, target, target_version });
            }
            _ => {}
        }
    }
}

/// The words of a line: bare, "interpreted" or `raw`, and the parentheses. Comments are left out.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        if rest.starts_with("//") {
            break;
        }
        let (word, after) = match first {
            '(' | ')' => (first.to_string(), &rest[1..]),
            '"' => interpreted(&rest[1..]),
            '`' => rest[1..]
                .split_once('`')
                .map_or((rest[1..].to_owned(), ""), |(raw, after)| (raw.to_owned(), after)),
            _ => bare(rest),
        };
        words.push(word);
        rest = after.trim_start();
    }
    words
}

fn bare(text: &str) -> (String, &str) {
    let ends_at_space = text.find(|character: char| character.is_whitespace() || "()\"`".contains(character));
    let ends_at_comment = text.find("//");
    let end = [ends_at_space, ends_at_comment].into_iter().flatten().min().unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

// Paths and versions hold no character that has to be escaped, apart from the quote and the backslash themselves.
fn interpreted(text: &str) -> (String, &str) {
    let mut word = String::new();
    let mut characters = text.char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '"' => return (word, &text[offset + 1..]),
            '\\' => word.extend(characters.next().map(|(_, escaped)| escaped)),
            _ => word.push(character),
        }
    }
    (word, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_write_a_module_path_is_read() {
        for text in [
            "module example.com/shop/v2\n",
            "// Deprecated: no\nmodule example.com/shop/v2 // indirect\r\n",
            "module \"example.com/shop/v2\"",
            "module `example.com/shop/v2`",
            "module (\n\texample.com/shop/v2\n)\n",
            "module\texample.com/shop/v2//comment",
        ] {
            assert_eq!(parse(text).module.as_deref(), Some("example.com/shop/v2"), "{text:?}");
        }
    }

    #[test]
    fn requirements_and_replacements_are_read_in_lines_and_blocks() {
        let file = parse(
            "module m\n\ngo 1.26\n\ntoolchain go1.26.8\n\nrequire example.com/a v1.2.3\n\
             require (\n\t\"example.com/B\" v0.0.0-20260101000000-abcdef012345 // indirect\n\t// nothing\n)\n\
             replace example.com/a => ../a\n\
             replace (\n\texample.com/c v1.0.0 => example.com/fork/c v1.0.1\n\texample.com/d=>./d\n)\n\
             exclude example.com/a v1.0.0\nretract [v1.0.0, v1.1.0]\nignore ./node_modules\ntool example.com/t\n",
        );
        assert_eq!(
            file.requires,
            [
                ("example.com/a".to_owned(), "v1.2.3".to_owned()),
                ("example.com/B".to_owned(), "v0.0.0-20260101000000-abcdef012345".to_owned()),
            ]
        );
        let [a, c] = file.replaces.as_slice() else { panic!("{:?}", file.replaces) };
        assert_eq!((a.path.as_str(), a.target.as_str(), &a.target_version), ("example.com/a", "../a", &None));
        assert_eq!((c.version.as_deref(), c.target.as_str()), (Some("v1.0.0"), "example.com/fork/c"));
        assert_eq!(c.target_version.as_deref(), Some("v1.0.1"));
    }

    #[test]
    fn a_workspace_lists_its_directories() {
        let file = parse("go 1.26\nuse .\nuse (\n\t./services/api // main\n\t\"./with space\"\n)\n");
        assert_eq!(file.uses, [".", "./services/api", "./with space"]);
    }

    #[test]
    fn nonsense_is_left_out() {
        let file = parse("module\nrequire x\nreplace a =>\n)\n\"unclosed\n`unclosed\nmodule a b c\n\\");
        assert_eq!(file, GoMod::default());
    }
}
