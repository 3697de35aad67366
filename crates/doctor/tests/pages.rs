//! Each diagnosis has its page.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use podcov_doctor::Id;

#[test]
fn each_id_has_a_page_and_each_page_an_id() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/diagnoses");
    let names =
        fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages: BTreeSet<String> = names.filter(|name| name != "README.md").collect();
    let ids: BTreeSet<String> = Id::ALL.iter().map(|id| format!("{id}.md")).collect();
    assert_eq!(pages.difference(&ids).collect::<Vec<_>>(), Vec::<&String>::new(), "pages without an id");
    assert_eq!(ids.difference(&pages).collect::<Vec<_>>(), Vec::<&String>::new(), "ids without a page");
    for id in Id::ALL {
        let page = fs::read_to_string(directory.join(format!("{id}.md"))).unwrap();
        assert!(page.starts_with(&format!("# {id}\n")), "{id}: the page begins with its name");
    }
}
