//! SARIF 2.1.0, which code scanning services read.

use std::fmt::Write;

use serde_json::{Value, json};

use super::{gap_in_words, loss_in_words, measured};
use crate::DiffReport;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const INFORMATION: &str = "https://github.com/podcov/podcov/blob/main/docs/diff.md";

/// A log with one run.
pub fn sarif(report: &DiffReport, version: &str) -> Result<String, serde_json::Error> {
    let mut results = Vec::new();
    for (file, lines) in measured(&report.files) {
        for (start, end) in lines.gaps() {
            let region = json!({"startLine": start, "endLine": end});
            results.push(result(
                "not-covered",
                "warning",
                &gap_in_words(lines, start, end),
                Some((&file.path, region)),
            ));
        }
    }
    for (file, why) in report.files_missing() {
        let message = format!("Nothing is known of the changed lines: {why}.");
        results.push(result("no-data", "warning", &message, Some((file, json!({"startLine": 1})))));
    }
    for missing in &report.missing {
        results.push(result("no-data", "warning", missing, None));
    }
    if let Some(against) = &report.against {
        for lost in &against.comparison.lost {
            let message = loss_in_words(lost, &against.name);
            results.push(result("lost-coverage", "warning", &message, None));
        }
        for package in &against.packages_missing {
            let message = format!("Package {package} has data in {}, and none now.", against.name);
            results.push(result("no-data", "warning", &message, None));
        }
    }
    for verdict in report.verdicts.iter().filter(|verdict| !verdict.passed) {
        results.push(result("gate", "error", &format!("{}: {}", verdict.gate, verdict.reason), None));
    }
    let rule =
        |id: &str, text: &str| json!({"id": id, "shortDescription": {"text": text}, "helpUri": INFORMATION});
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "podcov",
                "version": version,
                "informationUri": INFORMATION,
                "rules": [
                    rule("not-covered", "A changed line did not run in the tests"),
                    rule("no-data", "Nothing is known of what ran"),
                    rule("lost-coverage", "Code that ran in an earlier run does not run now"),
                    rule("gate", "A coverage gate is not passed"),
                ],
            }},
            "columnKind": "utf16CodeUnits",
            "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository"}}},
            "results": results,
        }],
    });
    Ok(serde_json::to_string_pretty(&log)? + "\n")
}

fn result(rule: &str, level: &str, message: &str, place: Option<(&str, Value)>) -> Value {
    let mut result = json!({"ruleId": rule, "level": level, "message": {"text": message}});
    if let Some((file, region)) = place {
        let artifact = json!({"uri": uri(file), "uriBaseId": "SRCROOT"});
        result["locations"] = json!([{"physicalLocation": {"artifactLocation": artifact, "region": region}}]);
    }
    result
}

/// A relative reference: everything that is not plain in a path is encoded.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
