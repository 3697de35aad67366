//! The lines of files, as a report has them and as Go's own page does.

use std::collections::BTreeMap;

use serde_json::Value;

/// Largest count of each executable line, and whether a part of the line did not run.
pub type Lines = BTreeMap<u64, (u64, bool)>;

/// Fails, and says which, unless all lines of all files are the same.
pub fn assert_equal(ours: &BTreeMap<String, Lines>, of_go: &BTreeMap<String, Lines>) {
    assert_eq!(ours.keys().collect::<Vec<_>>(), of_go.keys().collect::<Vec<_>>());
    assert!(ours.values().map(BTreeMap::len).sum::<usize>() > 5, "{ours:?}");
    for ((file, own), lines) in ours.iter().zip(of_go.values()) {
        let differing: Vec<_> = own
            .keys()
            .chain(lines.keys())
            .filter(|line| own.get(line) != lines.get(line))
            .map(|line| (line, own.get(line), lines.get(line)))
            .collect();
        assert!(differing.is_empty(), "{file}: line, of podcov, of Go: {differing:?}");
    }
}

/// Of the JSON document.
pub fn of_document(document: &Value) -> BTreeMap<String, Lines> {
    let packages = document["packages"].as_array().unwrap();
    let files = packages.iter().flat_map(|package| package["files"].as_array().unwrap());
    let lines = |file: &Value| {
        let mut lines = Lines::new();
        for stretch in file["lines"].as_array().unwrap() {
            for line in stretch["first"].as_u64().unwrap()..=stretch["last"].as_u64().unwrap() {
                lines
                    .insert(line, (stretch["hits"].as_u64().unwrap(), stretch["partial"].as_bool().unwrap()));
            }
        }
        lines
    };
    files.map(|file| (file["name"].as_str().unwrap().to_owned(), lines(file))).collect()
}

/// Of the page of `go tool cover -html`, by its colours.
pub fn of_page(page: &str) -> BTreeMap<String, Lines> {
    let names = page.split("<option value=\"file").skip(1).map(|option| {
        let name = option.split_once('>').unwrap().1.split_once("</option>").unwrap().0;
        name.rsplit_once(" (").unwrap().0.to_owned()
    });
    let texts = page.split("<pre class=\"file\"").skip(1).map(|text| {
        let text = text.split_once('>').unwrap().1;
        of_colours(text.split_once("</pre>").unwrap().0)
    });
    names.zip(texts).collect()
}

/// `title` has the count.
fn of_colours(mut text: &str) -> Lines {
    let mut counts = BTreeMap::<u64, Vec<u64>>::new();
    let (mut line, mut open) = (1, Vec::<u64>::new());
    while let Some(character) = text.chars().next() {
        if let Some(rest) = text.strip_prefix("<span class=\"cov") {
            let title = rest.split_once("title=\"").unwrap().1;
            let (count, rest) = title.split_once("\">").unwrap();
            open.push(count.parse().unwrap());
            text = rest;
        } else if let Some(rest) = text.strip_prefix("</span>") {
            open.pop();
            text = rest;
        } else {
            if let Some(count) = open.last() {
                counts.entry(line).or_default().push(*count);
            }
            line += u64::from(character == '\n');
            text = &text[character.len_utf8()..];
        }
    }
    let state = |counts: Vec<u64>| {
        let most = counts.iter().copied().max().unwrap();
        (most, most > 0 && counts.contains(&0))
    };
    counts.into_iter().map(|(line, counts)| (line, state(counts))).collect()
}
