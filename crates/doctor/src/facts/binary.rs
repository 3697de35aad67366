//! What an executable says of itself.

use go_binary::{ByteSource, Error, Executable, FileKind, Instrumentation, ModulePackages};

use crate::Known;

/// An executable.
#[derive(Clone, Debug, Default)]
pub struct Binary {
    /// Where it is: a path, or one in an image.
    pub name: String,
    /// Which workload or program it belongs to, if known.
    pub chain: Option<String>,
    /// What is known of it; if it is no Go program, what it is instead.
    pub contents: Contents,
}

/// What a file turned out to be.
#[derive(Clone, Debug, Default)]
pub enum Contents {
    /// A Go program.
    Go(Box<GoProgram>),
    /// Something else, and how that is known.
    NotGo(String),
    /// It could not be told.
    Unknown(String),
    /// Nobody looked.
    #[default]
    NotRead,
}

/// A Go program.
#[derive(Clone, Debug)]
pub struct GoProgram {
    /// As `go1.26.8`.
    pub go_version: Known<String>,
    /// The import path of main, or `command-line-arguments`.
    pub main_package: Known<String>,
    /// The module of main.
    pub main_module: Known<String>,
    /// `-cover` in the build information.
    pub cover_setting: Known<bool>,
    /// What is in it.
    pub coverage: Coverage,
    /// Where that was seen, and what.
    pub coverage_seen: crate::Evidence,
    /// GOOS and GOARCH.
    pub platform: (String, String),
    /// Whether the symbol table was taken out.
    pub is_stripped: bool,
    /// Whether it needs no libraries.
    pub is_static: bool,
    /// Whether it is loaded anywhere.
    pub is_position_independent: bool,
    /// What of `-trimpath`, `-ldflags`, … the go command recorded.
    pub settings: Vec<(String, String)>,
    /// Packages of the main module that are in it, and of those the covered ones.
    pub packages: Known<ModulePackages>,
}

/// Whether coverage is in a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coverage {
    /// With main: it writes.
    WithMain,
    /// Without main: it counts, and never writes.
    WithoutMain,
    /// None.
    Nothing,
    /// It does not write; whether it counts cannot be told.
    NoHook,
}

impl Binary {
    /// Reads an executable: its tables, never all of it at once.
    pub fn read(name: impl Into<String>, source: &impl ByteSource) -> Self {
        let contents = match read(source) {
            Ok(contents) => contents,
            Err(error) => refused(&error),
        };
        Self { name: name.into(), chain: None, contents }
    }

    /// The same, as part of a workload or an image.
    #[must_use]
    pub fn chain(mut self, chain: impl Into<String>) -> Self {
        self.chain = Some(chain.into());
        self
    }
}

fn refused(error: &Error) -> Contents {
    match error {
        Error::NotElf { .. } | Error::NotExecutable { .. } => Contents::NotGo(error.to_string()),
        _ => Contents::Unknown(error.to_string()),
    }
}

fn read<Source: ByteSource>(source: &Source) -> Result<Contents, Error> {
    let executable = Executable::read(source)?;
    let Some(info) = executable.build_info()? else {
        // Without build information it can still be a Go program: one that something took it out of.
        return Ok(match executable.module_data_location()? {
            None => Contents::NotGo("ELF without Go's build information and function table".to_owned()),
            Some(_) => Contents::Unknown("a Go program whose build information was taken out".to_owned()),
        });
    };
    let instrumentation = executable.instrumentation(Some(&info))?;
    let place = format!("build information, {}", info.place);
    let info = info.value;
    let packages = match executable.module_packages(&info)? {
        Some(packages) => Known::found(packages, "symbol table"),
        None => Known::unknown("it has no symbols"),
    };
    let text = |value: &str| Known::from_option((!value.is_empty()).then(|| value.to_owned()), &place);
    let (sign, seen_in) = instrumentation.seen();
    Ok(Contents::Go(Box::new(GoProgram {
        go_version: text(info.go_version.as_str()),
        main_package: text(&info.main_package),
        main_module: text(info.main_module.as_ref().map_or("", |module| &module.path)),
        cover_setting: match info.cover() {
            Some(cover) => Known::found(cover, &place),
            None => Known::unknown("Go records -cover from 1.23 on"),
        },
        coverage: coverage(&instrumentation),
        coverage_seen: crate::Evidence::new(sign, seen_in),
        platform: (
            info.setting("GOOS").unwrap_or(executable.operating_system()).to_owned(),
            info.setting("GOARCH").unwrap_or(executable.architecture().as_str()).to_owned(),
        ),
        is_stripped: executable.is_stripped(),
        is_static: executable.is_static(),
        is_position_independent: executable.kind() == FileKind::PositionIndependentExecutable,
        packages,
        settings: info.settings,
    })))
}

const fn coverage(instrumentation: &Instrumentation) -> Coverage {
    match instrumentation {
        Instrumentation::WithMain { .. } => Coverage::WithMain,
        Instrumentation::WithoutMain { .. } => Coverage::WithoutMain,
        Instrumentation::Nothing { .. } => Coverage::Nothing,
        Instrumentation::NoHook => Coverage::NoHook,
    }
}
