//! Whether `-coverpkg` matches the main package, as far as a command line tells.

use std::path::Path;

/// What is known of a build's main package.
#[derive(Clone, Copy, Debug)]
pub(super) struct Main<'a> {
    /// As go build was given it: `./cmd/api`, `.`, `example.com/shop/cmd/api`, `./cmd/api/main.go`.
    pub argument: &'a str,
    /// The module of the directory that the build runs in, if known.
    pub module: Option<&'a str>,
}

/// Whether go build is given a file instead of a package.
pub(super) fn is_go_file(argument: &str) -> bool {
    Path::new(argument).extension().is_some_and(|extension| extension == "go")
}

/// None where it cannot be told.
pub(super) fn matches_main(patterns: &str, main: Main<'_>) -> Option<bool> {
    let answers: Vec<Option<bool>> = patterns
        .split(',')
        .map(str::trim)
        .filter(|pattern| !pattern.is_empty())
        .map(|pattern| matches(pattern, main))
        .collect();
    if answers.contains(&Some(true)) {
        return Some(true);
    }
    answers.iter().all(|answer| *answer == Some(false)).then_some(false)
}

fn matches(pattern: &str, main: Main<'_>) -> Option<bool> {
    if ["all", "..."].contains(&pattern) {
        return Some(true);
    }
    // From Go 1.25 on, the packages of the main module; before, a name that matches nothing.
    if pattern == "work" {
        return None;
    }
    let is_file = is_go_file(main.argument);
    let (directory, is_relative) = relative(main.argument);
    if pattern.starts_with('.') {
        let (pattern, _) = relative(pattern);
        // What `..` leads to depends on where the build runs.
        let leads_out = |path: &str| path.split('/').any(|part| part == "..");
        if leads_out(pattern) || leads_out(directory) {
            return None;
        }
        let directory =
            if is_file { directory.rsplit_once('/').map_or("", |(parent, _)| parent) } else { directory };
        return is_relative.then(|| is_matched(pattern, directory));
    }
    // A package that is built by file names is called so, whatever its directory is.
    if is_file {
        return Some(is_matched(pattern, "command-line-arguments"));
    }
    if !is_relative {
        return Some(is_matched(pattern, directory));
    }
    let module = main.module?;
    let path = if directory.is_empty() { module.to_owned() } else { format!("{module}/{directory}") };
    Some(is_matched(pattern, &path))
}

/// Without `./`, and whether it was there.
fn relative(argument: &str) -> (&str, bool) {
    let is_relative = argument.starts_with('.') || is_go_file(argument);
    let mut path = argument;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    (if path == "." { "" } else { path.trim_end_matches('/') }, is_relative)
}

/// As `cmd/internal/pkgpattern`, for patterns with `...` at the end; others with `...` are taken to match.
fn is_matched(pattern: &str, path: &str) -> bool {
    if pattern == "..." {
        return true;
    }
    match pattern.strip_suffix("/...") {
        Some(prefix) if !prefix.contains("...") => {
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        None if !pattern.contains("...") => pattern == path,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_matched_as_the_go_command_does() {
        let main = |argument| Main { argument, module: Some("example.com/shop") };
        for (patterns, argument, expected) in [
            ("./...", "./cmd/api", Some(true)),
            ("./internal/...", "./cmd/api", Some(false)),
            ("./internal/...,./cmd/...", "./cmd/api", Some(true)),
            (".", ".", Some(true)),
            ("./internal/...", ".", Some(false)),
            ("example.com/shop/...", "./cmd/api", Some(true)),
            ("example.com/shop/internal/...", "./cmd/api", Some(false)),
            ("example.com/shop/...", "example.com/shop/cmd/api", Some(true)),
            ("example.com/shop/...", "./cmd/api/main.go", Some(false)),
            ("./...", "./cmd/api/main.go", Some(true)),
            ("./...", "cmd/api/main.go", Some(true)),
            ("all", "./cmd/api/main.go", Some(true)),
            ("api", "./cmd/api", Some(false)),
            ("work", "./cmd/api", None),
            ("../...", "./cmd/api", None),
        ] {
            assert_eq!(matches_main(patterns, main(argument)), expected, "{patterns} {argument}");
        }
        let unknown = Main { argument: "./cmd/api", module: None };
        assert_eq!(matches_main("example.com/shop/...", unknown), None);
    }
}
