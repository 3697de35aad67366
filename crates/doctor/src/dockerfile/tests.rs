//! The format, case by case.

use super::*;
use crate::facts::dockerfile::{Command, InstructionKind};

fn kinds(text: &str) -> Vec<InstructionKind> {
    let file = parse("Dockerfile", &format!("FROM x\n{text}"));
    assert_eq!(file.not_understood, [], "{text}");
    file.stages[0].instructions.iter().map(|instruction| instruction.kind.clone()).collect()
}

fn run(text: &str) -> InstructionKind {
    InstructionKind::Run(Command::Shell(text.to_owned()))
}

#[test]
fn stages_have_names_bases_and_their_own_instructions() {
    let file = parse(
        "Dockerfile",
        "# syntax=docker/dockerfile:1\nARG GO=1.26\nFROM --platform=$BUILDPLATFORM golang:${GO} AS build\nARG GOFLAGS\n\
         from gcr.io/distroless/static:nonroot\nCOPY --from=build --chown=1:1 /a /b\n",
    );
    assert_eq!(file.global_arguments["GO"], Some("1.26".to_owned()));
    assert_eq!(file.stages.len(), 2);
    assert_eq!(
        (file.stages[0].name.as_deref(), file.stages[0].base.as_str()),
        (Some("build"), "golang:${GO}")
    );
    assert_eq!(file.stages[0].instructions[0].kind, InstructionKind::Argument("GOFLAGS".into(), None));
    let paths = vec!["/a".to_owned(), "/b".to_owned()];
    assert_eq!(
        file.stages[1].instructions[0].kind,
        InstructionKind::Copy { from: Some("build".into()), paths }
    );
}

#[test]
fn lines_are_continued_past_comments_and_empty_lines() {
    assert_eq!(
        kinds("RUN a \\\n  # no\n\n  && b\nUSER 1"),
        [run("a   && b"), InstructionKind::User("1".into())]
    );
    assert_eq!(kinds("RUN a \\"), [run("a")]);
    let file = parse("Dockerfile", "# escape=`\nFROM x\nRUN a `\n b c:\\\nUSER 1\n");
    assert_eq!(file.stages[0].instructions[0].kind, run("a  b c:\\"));
    assert_eq!(file.stages[0].instructions.len(), 2);
}

#[test]
fn here_documents_belong_to_their_instruction() {
    assert_eq!(kinds("RUN <<EOF\ngo build .\nFROM y\nEOF\nUSER 1")[0], run("go build .\nFROM y\n"));
    assert_eq!(
        kinds("RUN <<-'E'\n\tgo build .\n\tE\nUSER 1"),
        [run("go build .\n"), InstructionKind::User("1".into())]
    );
    assert_eq!(kinds("RUN cat <<A > x\nno\nA\nUSER 1").len(), 2);
    assert_eq!(kinds("RUN x <<<word\nUSER 1").len(), 2, "a here-string has no lines");
}

#[test]
fn both_forms_of_commands_are_told_apart() {
    let exec = |words: &[&str]| Command::Exec(words.iter().map(|word| (*word).to_owned()).collect());
    assert_eq!(
        kinds(r#"ENTRYPOINT ["/a", "-x\n\u0041"]"#),
        [InstructionKind::EntryPoint(exec(&["/a", "-x\nA"]))]
    );
    assert_eq!(kinds("CMD []"), [InstructionKind::Command(exec(&[]))]);
    for shell in ["['/a']", "[\"/a\",]", "/a -x", "[\"/a\" \"b\"]"] {
        assert_eq!(kinds(&format!("CMD {shell}")), [InstructionKind::Command(Command::Shell(shell.into()))]);
    }
    assert_eq!(kinds("RUN --mount=type=cache,target=/x --network=none go build ."), [run("go build .")]);
}

#[test]
fn variables_are_unquoted_and_the_old_form_of_env_goes_to_the_end_of_the_line() {
    let variable = |name: &str, value: &str| InstructionKind::Environment(name.into(), value.into());
    assert_eq!(kinds("ENV A=\"b c\" D='e'\\ f"), [variable("A", "b c"), variable("D", "e f")]);
    assert_eq!(kinds("ENV GOFLAGS -cover -a"), [variable("GOFLAGS", "-cover -a")]);
    assert_eq!(
        kinds("ENV GOFLAGS=-cover -coverpkg=./..."),
        [variable("GOFLAGS", "-cover"), variable("-coverpkg", "./...")]
    );
    assert_eq!(kinds("ARG A B=\"c d\"")[1], InstructionKind::Argument("B".into(), Some("c d".into())));
}

#[test]
fn what_is_not_understood_is_named_with_its_line() {
    let file = parse("Dockerfile", "FROM x\nFOO bar\nENV\nSHELL sh\nFROM\nUSER 1\n");
    let lines: Vec<usize> = file.not_understood.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [2, 3, 4, 5]);
}
