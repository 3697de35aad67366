//! Real executables, with the go command as the oracle.
#![allow(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;

use go_binary::{
    Architecture, Error, Evidence, Executable, FileKind, Instrumentation, ModuleDataLocation, Place,
};
use podcov_go_programs::{Covered, Linking, LiveProgram, installed_go};

const RELEASES: [&str; 5] = ["go1.21.13", "go1.22.12", "go1.24.11", "local", "go1.27.3"];

fn build(release: &'static str, linking: Linking, covered: Covered) -> (String, Vec<u8>) {
    let program = LiveProgram { release, mode: "count", linking, covered };
    let path = program.executable(Path::new(env!("CARGO_TARGET_TMPDIR")));
    (path.to_str().unwrap().to_owned(), fs::read(path).unwrap())
}

/// Every way to link with some release, and every release.
fn selection() -> impl Iterator<Item = (&'static str, Linking)> {
    RELEASES.into_iter().cycle().zip(Linking::ALL)
}

fn check_build_info(release: &'static str, linking: Linking, covered: Covered) {
    let (_, bytes) = build(release, linking, covered);
    let bytes = bytes.as_slice();
    // Without section headers, Go does not find it in what Go 1.27 links; it was not changed when they were removed.
    let (path, _) = match linking {
        Linking::NoSectionHeaders => build(release, Linking::Stripped, covered),
        Linking::NoSectionHeadersPositionIndependent => {
            build(release, Linking::StrippedPositionIndependent, covered)
        }
        _ => build(release, linking, covered),
    };
    let json: serde_json::Value =
        serde_json::from_str(&installed_go(&["version", "-m", "-json", &path])).unwrap();
    let info = Executable::read(bytes).unwrap().build_info().unwrap().unwrap().value;
    assert_eq!(info.go_version.as_str(), json["GoVersion"]);
    assert_eq!(info.main_package, json["Path"]);
    let module = info.main_module.as_ref().unwrap();
    assert_eq!(
        (module.path.as_str(), module.version.as_str()),
        (json["Main"]["Path"].as_str().unwrap(), json["Main"]["Version"].as_str().unwrap())
    );
    // Empty values are left out.
    let text = |setting: &serde_json::Value, key: &str| setting[key].as_str().unwrap_or_default().to_owned();
    let settings = json["Settings"].as_array().unwrap();
    let settings: Vec<_> =
        settings.iter().map(|setting| (text(setting, "Key"), text(setting, "Value"))).collect();
    assert_eq!(info.settings, settings);
}

#[test]
fn build_information_is_what_go_version_shows() {
    for (release, linking) in selection() {
        check_build_info(release, linking, Covered::Program);
    }
}

#[test]
fn the_kind_of_file_is_told() {
    use FileKind::{Executable as Fixed, PositionIndependentExecutable as Anywhere};
    for (release, linking) in selection() {
        let (_, bytes) = build(release, linking, Covered::Program);
        let executable = Executable::read(bytes.as_slice()).unwrap();
        assert_eq!(
            executable.architecture(),
            if cfg!(target_arch = "aarch64") { Architecture::Arm64 } else { Architecture::Amd64 }
        );
        assert_eq!(executable.operating_system(), "linux");
        let (kind, is_static, is_stripped) = match linking {
            Linking::Plain => (Fixed, true, false),
            Linking::Stripped | Linking::Static | Linking::ExternalStatic | Linking::NoSectionHeaders => {
                (Fixed, true, true)
            }
            Linking::PositionIndependent => (Anywhere, false, false),
            Linking::StrippedPositionIndependent
            | Linking::ExternalPositionIndependent
            | Linking::NoSectionHeadersPositionIndependent => (Anywhere, false, true),
            // Whether the C compiler makes it position-independent by itself, is its affair.
            Linking::External => (executable.kind(), false, false),
            Linking::StaticPositionIndependent => (Anywhere, true, true),
        };
        let told = (executable.kind(), executable.is_static(), executable.is_stripped());
        assert_eq!(told, (kind, is_static, is_stripped), "{release} {linking:?}");
    }
}

#[test]
fn instrumentation_is_told_of_every_release() {
    for release in RELEASES {
        for linking in [Linking::Stripped, Linking::StrippedPositionIndependent] {
            let told = |covered| {
                let (_, bytes) = build(release, linking, covered);
                let executable = Executable::read(bytes.as_slice()).unwrap();
                let build_info = executable.build_info().unwrap();
                executable.instrumentation(build_info.as_ref()).unwrap()
            };
            let context = format!("{release} {linking:?}");
            assert!(matches!(told(Covered::Program), Instrumentation::WithMain { .. }), "{context}");
            let without_main = told(Covered::WithoutMain);
            assert!(
                matches!(without_main, Instrumentation::WithoutMain { evidence: Evidence::Counters(_) }),
                "{context}: {without_main:?}"
            );
            let nothing = told(Covered::Nothing);
            assert!(
                matches!(nothing, Instrumentation::Nothing { evidence: Evidence::Counters(_) }),
                "{context}: {nothing:?}"
            );
        }
    }
}

#[test]
fn go_1_23_and_later_say_whether_they_were_told_to_cover() {
    for release in RELEASES {
        let cover = |covered| {
            let (_, bytes) = build(release, Linking::Stripped, covered);
            Executable::read(bytes.as_slice()).unwrap().build_info().unwrap().unwrap().value.cover()
        };
        let told = (cover(Covered::Program), cover(Covered::Nothing));
        let expected = if matches!(release, "go1.21.13" | "go1.22.12") {
            (None, None)
        } else {
            (Some(true), Some(false))
        };
        assert_eq!(told, expected, "{release}");
    }
}

#[test]
fn module_data_are_found_by_symbol_section_table_or_contents() {
    for release in RELEASES {
        let has_section = matches!(release, "local" | "go1.27.3");
        for linking in Linking::ALL {
            if linking.is_external() && !matches!(linking, Linking::StaticPositionIndependent) {
                continue;
            }
            let (_, bytes) = build(release, linking, Covered::Program);
            let executable = Executable::read(bytes.as_slice()).unwrap();
            let location = executable.module_data_location().unwrap().unwrap();
            let (ModuleDataLocation::At { place, .. } | ModuleDataLocation::PointsTo { place, .. }) =
                location;
            let by = match place {
                Place::Symbol { name, .. } => name.to_owned(),
                Place::Section { name, .. } => name,
                Place::Segment { .. } => "contents".to_owned(),
            };
            let expected = match linking {
                Linking::Plain | Linking::PositionIndependent => "runtime.firstmoduledata",
                Linking::NoSectionHeaders | Linking::NoSectionHeadersPositionIndependent => "contents",
                _ if has_section => ".go.module",
                Linking::Stripped | Linking::Static => ".gopclntab",
                Linking::StrippedPositionIndependent => ".data.rel.ro.gopclntab",
                _ => "contents",
            };
            assert_eq!(by, expected, "{release} {linking:?}");
        }
    }
}

/// The same program with and without symbols: the symbol table is the oracle for what is found without it.
#[test]
fn the_counters_are_where_the_symbol_table_says() {
    for release in RELEASES {
        let (path, bytes) = build(release, Linking::Plain, Covered::Program);
        let listed = installed_go(&["tool", "nm", &path]);
        let symbol = |name: &str| {
            let line = listed.lines().find(|line| line.split_whitespace().nth(2) == Some(name)).unwrap();
            u64::from_str_radix(line.split_whitespace().next().unwrap(), 16).unwrap()
        };
        let executable = Executable::read(bytes.as_slice()).unwrap();
        let module = executable.module_data().unwrap().unwrap().value;
        assert_eq!(module.counters, symbol("runtime.covctrs")..symbol("runtime.ecovctrs"), "{release}");
        assert_eq!(module.bss, symbol("runtime.bss")..symbol("runtime.ebss"), "{release}");
        assert_eq!(module.noptrbss, symbol("runtime.noptrbss")..symbol("runtime.enoptrbss"), "{release}");
        let list = executable.meta_data_list().unwrap().unwrap().value;
        let name = if matches!(release, "go1.21.13" | "go1.22.12") {
            "runtime.covMeta"
        } else {
            "internal/coverage/rtcov.Meta"
        };
        assert_eq!(list.0, symbol(name), "{release}");
    }
}

#[test]
fn executables_of_another_architecture_are_described() {
    for architecture in [Architecture::Amd64, Architecture::Arm64] {
        for linking in [Linking::Stripped, Linking::StrippedPositionIndependent, Linking::NoSectionHeaders] {
            let told = |covered| {
                let program = LiveProgram { release: "local", mode: "count", linking, covered };
                let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
                let bytes = fs::read(program.executable_for(architecture.as_str(), cache)).unwrap();
                let executable = Executable::read(bytes.as_slice()).unwrap();
                assert_eq!(executable.architecture(), architecture);
                let build_info = executable.build_info().unwrap();
                let told = build_info.as_ref().unwrap().value.setting("GOARCH").unwrap().to_owned();
                assert_eq!(told, architecture.as_str());
                executable.instrumentation(build_info.as_ref()).unwrap()
            };
            assert!(matches!(told(Covered::Program), Instrumentation::WithMain { .. }));
            assert!(matches!(told(Covered::WithoutMain), Instrumentation::WithoutMain { .. }));
        }
    }
}

#[test]
fn other_files_are_refused_by_what_they_are() {
    let refused = |bytes: &[u8]| match Executable::read(bytes) {
        Err(Error::NotElf { format }) => format,
        _ => panic!("{bytes:?} should have been refused"),
    };
    assert_eq!(refused(b""), "an empty file");
    assert_eq!(refused(b"#!/bin/sh\n"), "a script");
    assert_eq!(refused(b"MZ\x90\0"), "an executable of Windows (PE)");
    assert_eq!(refused(b"\xcf\xfa\xed\xfe\x07\0\0\x01"), "an executable of macOS (Mach-O)");
    assert_eq!(refused(b"\x7fELF\x01\x01\x01"), "an ELF file of 32 bits");
    let riscv = [b"\x7fELF\x02\x01\x01".as_slice(), &[0; 9], &[2, 0, 243, 0], &[0; 44]].concat();
    let error = Executable::read(riscv.as_slice()).err().unwrap();
    assert!(matches!(error, Error::UnsupportedMachine { machine: 243 }), "{error}");
}

#[test]
fn a_program_of_c_is_not_gos() {
    let bytes = fs::read("/bin/sh").unwrap();
    let executable = Executable::read(bytes.as_slice()).unwrap();
    assert_eq!(executable.build_info().unwrap(), None);
    assert_eq!(executable.module_data_location().unwrap(), None);
    assert_eq!(executable.instrumentation(None).unwrap(), Instrumentation::NoHook);
}

#[test]
#[ignore = "long: every release in every way"]
fn every_release_linked_in_every_way_is_described() {
    for release in RELEASES {
        for linking in Linking::ALL {
            for covered in [Covered::Program, Covered::WithoutMain, Covered::Nothing] {
                check_build_info(release, linking, covered);
                let (_, bytes) = build(release, linking, covered);
                let executable = Executable::read(bytes.as_slice()).unwrap();
                let build_info = executable.build_info().unwrap();
                let told = executable.instrumentation(build_info.as_ref()).unwrap();
                let is_right = match covered {
                    Covered::WithoutMain => matches!(told, Instrumentation::WithoutMain { .. }),
                    Covered::Nothing => matches!(told, Instrumentation::Nothing { .. }),
                    _ => matches!(told, Instrumentation::WithMain { .. }),
                };
                assert!(is_right, "{release} {linking:?} {covered:?}: {told:?}");
            }
        }
    }
}
