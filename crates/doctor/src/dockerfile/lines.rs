//! Lines of a Dockerfile as instructions: joined where they are continued, with their here-documents, no comments.

/// One instruction.
#[derive(Debug)]
pub(super) struct Line {
    /// Where it begins.
    pub number: usize,
    /// Everything of it but here-documents.
    pub text: String,
    /// The here-documents, in order.
    pub documents: Vec<String>,
}

pub(super) fn logical(text: &str) -> Vec<Line> {
    let escape = escape(text);
    let mut lines = Vec::new();
    let mut physical = (1..).zip(text.lines());
    while let Some((number, first)) = physical.next() {
        let first = first.trim_start();
        if first.is_empty() || first.starts_with('#') {
            continue;
        }
        let mut joined = String::new();
        let mut part = first;
        while let Some(continued) = part.trim_end().strip_suffix(escape) {
            joined.push_str(continued);
            // Comments and empty lines between do not end the instruction.
            let next = physical.by_ref().find(|(_, line)| {
                let line = line.trim_start();
                !line.is_empty() && !line.starts_with('#')
            });
            match next {
                Some((_, next)) => part = next,
                None => part = "",
            }
        }
        joined.push_str(part);
        let mut documents = Vec::new();
        for (delimiter, strips_tabs) in delimiters(&joined) {
            let mut document = String::new();
            for (_, line) in physical.by_ref() {
                let line = if strips_tabs { line.trim_start_matches('\t') } else { line };
                if line == delimiter {
                    break;
                }
                document.push_str(line);
                document.push('\n');
            }
            documents.push(document);
        }
        lines.push(Line { number, text: joined.trim().to_owned(), documents });
    }
    lines
}

/// Directives are comments before everything else.
fn escape(text: &str) -> char {
    for line in text.lines() {
        let Some(directive) = line.trim().strip_prefix('#') else { break };
        let Some((key, value)) = directive.split_once('=') else { break };
        if key.trim().eq_ignore_ascii_case("escape") {
            return if value.trim() == "`" { '`' } else { '\\' };
        }
    }
    '\\'
}

/// The words that end the here-documents of RUN, COPY and ADD, and whether tabs before lines are dropped.
fn delimiters(line: &str) -> Vec<(String, bool)> {
    let keyword = line.split_whitespace().next().unwrap_or_default();
    if !["RUN", "COPY", "ADD"].iter().any(|one| keyword.eq_ignore_ascii_case(one)) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut rest = line;
    while let Some(at) = rest.find("<<") {
        rest = rest.get(at + 2..).unwrap_or_default();
        if let Some(string) = rest.strip_prefix('<') {
            rest = string;
            continue;
        }
        let (strips_tabs, word) = match rest.strip_prefix('-') {
            Some(word) => (true, word),
            None => (false, rest),
        };
        let word = word.trim_start_matches(['"', '\'']);
        let is_name = |one: char| one.is_ascii_alphanumeric() || one == '_';
        let end = word.find(|one| !is_name(one)).unwrap_or(word.len());
        if let Some(name) = word.get(..end).filter(|name| name.starts_with(|one: char| !one.is_ascii_digit()))
        {
            found.push((name.to_owned(), strips_tabs));
        }
    }
    found
}
