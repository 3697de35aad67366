//! Builds `testdata/tools/rewrite.go` from a copy of a release's own sources. Owns what is copied and how.

use std::fs;
use std::path::{Path, PathBuf};

use crate::toolchain::{Toolchain, testdata};

const PACKAGES: [&str; 7] =
    ["", "decodecounter", "encodecounter", "slicereader", "slicewriter", "stringtab", "uleb128"];

/// Builds it in the directory `source`, and says where it is.
pub fn build(go: &Toolchain, source: &Path) -> PathBuf {
    let library = PathBuf::from(go.go(["env", "GOROOT"]).trim()).join("src/internal/coverage");
    for package in PACKAGES {
        let target = source.join("internal/coverage").join(package);
        fs::create_dir_all(&target).unwrap();
        for entry in fs::read_dir(library.join(package)).unwrap() {
            let file = entry.unwrap().path();
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if file.is_file()
                && file.extension().is_some_and(|extension| extension == "go")
                && !name.ends_with("_test.go")
            {
                fs::write(target.join(name), own_imports(&file)).unwrap();
            }
        }
    }
    fs::write(source.join("go.mod"), "module rewrite\n\ngo 1.21\n").unwrap();
    fs::write(source.join("main.go"), own_imports(&testdata().join("tools/rewrite.go"))).unwrap();
    go.go_in(source, ["build", "-o", "rewrite", "."]);
    source.join("rewrite")
}

/// The sources of a standard library package, as a part of another module.
fn own_imports(file: &Path) -> String {
    fs::read_to_string(file).unwrap().replace("\"internal/coverage", "\"rewrite/internal/coverage")
}
