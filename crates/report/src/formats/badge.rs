//! The total as a picture that a README shows.

use std::io::Write;

use askama::Template;
use go_coverage::Totals;

use super::Document;
use crate::{Error, percent};

/// Width of a character of the font, in tenths of a pixel; the picture stretches the text to what is computed.
const CHARACTER: usize = 68;
const MARGIN: usize = 100;
const LABEL: &str = "coverage";

#[derive(Template)]
#[template(path = "badge.svg")]
struct Badge {
    label: &'static str,
    value: String,
    colour: &'static str,
    label_width: usize,
    value_width: usize,
}

pub(super) fn write(document: &Document<'_>, output: &mut impl Write) -> Result<(), Error> {
    let totals = document.tree().map(|tree| tree.totals).unwrap_or_default();
    let value = if totals.statements == 0 { "unknown".to_owned() } else { format!("{} %", percent(totals)) };
    let width = |text: &str| (text.chars().count() * CHARACTER + MARGIN) / 10;
    let badge = Badge {
        label: LABEL,
        colour: colour(totals),
        label_width: width(LABEL),
        value_width: width(&value),
        value,
    };
    output.write_all(badge.render()?.as_bytes())?;
    writeln!(output)?;
    Ok(())
}

/// Dark enough for white text on it.
fn colour(totals: Totals) -> &'static str {
    match totals.percent() {
        None => "#6b7280",
        Some(percent) if percent >= 80.0 => "#15803d",
        Some(percent) if percent >= 50.0 => "#a16207",
        Some(_) => "#b91c1c",
    }
}
