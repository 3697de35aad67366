//! `["/app", "-x"]`: a list of strings in JSON, which is the exec form of a command. Anything else is the shell form.

pub(super) fn strings(text: &str) -> Option<Vec<String>> {
    let mut rest = text.trim().strip_prefix('[')?.strip_suffix(']')?.trim();
    let mut strings = Vec::new();
    if rest.is_empty() {
        return Some(strings);
    }
    loop {
        let (string, after) = string(rest.strip_prefix('"')?)?;
        strings.push(string);
        let after = after.trim_start();
        if after.is_empty() {
            return Some(strings);
        }
        rest = after.strip_prefix(',')?.trim_start();
    }
}

/// A string after its opening quote, and what follows it.
fn string(text: &str) -> Option<(String, &str)> {
    let mut string = String::new();
    let mut characters = text.chars();
    loop {
        match characters.next()? {
            '"' => return Some((string, characters.as_str())),
            '\\' => string.push(match characters.next()? {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'u' => {
                    let (digits, after) = characters.as_str().split_at_checked(4)?;
                    characters = after.chars();
                    char::from_u32(u32::from_str_radix(digits, 16).ok()?)?
                }
                plain @ ('"' | '\\' | '/') => plain,
                _ => return None,
            }),
            other => string.push(other),
        }
    }
}
