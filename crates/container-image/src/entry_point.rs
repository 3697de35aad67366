//! What a container runs: the pod's words over the image's. Pure.

use crate::ImageConfig;

/// Who said a part of a command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaidBy {
    /// The pod's specification.
    Pod,
    /// The image's configuration.
    Image,
}

/// The command line of a container: an entry point and its arguments.
///
/// Either may be empty, and then the first argument is the program; not both.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    /// The pod's `command`, or the image's entry point.
    pub entry_point: Vec<String>,
    /// Who said the entry point.
    pub entry_point_by: SaidBy,
    /// The pod's `args`, or the image's command.
    pub arguments: Vec<String>,
    /// Who said the arguments.
    pub arguments_by: SaidBy,
}

impl CommandLine {
    /// What a container runs, by Kubernetes' rules: the entry point is the pod's `command`, else the image's
    /// `Entrypoint`; the arguments are the pod's `args`, else, if the pod has no `command` either, the image's `Cmd`.
    ///
    /// | image `Entrypoint` | image `Cmd` | pod `command` | pod `args` | runs |
    /// |---|---|---|---|---|
    /// | `[/ep-1]` | `[foo bar]` | | | `[/ep-1 foo bar]` |
    /// | `[/ep-1]` | `[foo bar]` | `[/ep-2]` | | `[/ep-2]` |
    /// | `[/ep-1]` | `[foo bar]` | | `[zoo boo]` | `[/ep-1 zoo boo]` |
    /// | `[/ep-1]` | `[foo bar]` | `[/ep-2]` | `[zoo boo]` | `[/ep-2 zoo boo]` |
    ///
    /// An empty list is the same as none. None is returned where there is nothing to run: the kubelet reports such a
    /// container as `CreateContainerError`.
    #[must_use]
    pub fn of_container(pod_command: &[String], pod_args: &[String], image: &ImageConfig) -> Option<Self> {
        let (entry_point, entry_point_by) = if pod_command.is_empty() {
            // Docker writes it where an entry point was reset to nothing.
            let is_reset = matches!(&image.entrypoint[..], [only] if only.is_empty());
            (if is_reset { &[] } else { &image.entrypoint[..] }, SaidBy::Image)
        } else {
            (pod_command, SaidBy::Pod)
        };
        let (arguments, arguments_by) = if pod_command.is_empty() && pod_args.is_empty() {
            (&image.command[..], SaidBy::Image)
        } else {
            (pod_args, SaidBy::Pod)
        };
        let line = Self {
            entry_point: entry_point.to_vec(),
            entry_point_by,
            arguments: arguments.to_vec(),
            arguments_by,
        };
        if line.words().next().is_some() { Some(line) } else { None }
    }

    /// All words, the program first.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.entry_point.iter().chain(&self.arguments).map(String::as_str)
    }

    /// The program, as it is looked up in the container.
    #[must_use]
    pub fn program(&self) -> &str {
        self.words().next().unwrap_or_default()
    }

    /// The words as they have to stand in a pod to mean the same.
    ///
    /// The kubelet expands `$(NAME)` in a pod's words, not in an image's: the image's dollars are doubled.
    #[must_use]
    pub fn pod_words(&self) -> Vec<String> {
        let parts = [(&self.entry_point, self.entry_point_by), (&self.arguments, self.arguments_by)];
        parts
            .into_iter()
            .flat_map(|(words, said_by)| {
                words.iter().map(move |word| match said_by {
                    SaidBy::Pod => word.clone(),
                    SaidBy::Image => word.replace('$', "$$"),
                })
            })
            .collect()
    }

    /// The shell and its script, where the program is a shell that is given one.
    #[must_use]
    pub fn shell_form(&self) -> Option<ShellForm<'_>> {
        ShellForm::of(&self.words().collect::<Vec<_>>())
    }
}

/// A command line such as `/bin/sh -c 'exec /app/server --port 80'`, which is what a Dockerfile's
/// `ENTRYPOINT exec /app/server --port 80` becomes. The process that it starts is the shell's child, unless the script
/// begins with `exec` or the shell saves a process; arguments of a pod become `$0`, `$1` of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShellForm<'a> {
    /// The shell as it is named.
    pub shell: &'a str,
    /// The script.
    pub script: &'a str,
}

const SHELLS: [&str; 7] = ["sh", "bash", "ash", "dash", "ksh", "mksh", "zsh"];

/// Whether a program, by its name or path, is a shell.
#[must_use]
pub fn is_shell(program: &str) -> bool {
    SHELLS.contains(&program.rsplit('/').next().unwrap_or_default())
}

impl<'a> ShellForm<'a> {
    fn of(words: &[&'a str]) -> Option<Self> {
        let (&shell, options) = words.split_first()?;
        if !is_shell(shell) {
            return None;
        }
        let mut has_script = false;
        let mut options = options.iter();
        while let Some(&word) = options.next() {
            // Long options are bash's, such as --login.
            match word.strip_prefix(['-', '+']) {
                Some("-" | "") => {
                    return has_script.then(|| options.next())?.map(|script| Self { shell, script });
                }
                Some(letters) => {
                    let is_short = !letters.starts_with('-');
                    has_script |= is_short && word.starts_with('-') && letters.contains('c');
                    if is_short && letters.ends_with(['o', 'O']) {
                        options.next(); // as in `-o pipefail`
                    }
                }
                None => return has_script.then_some(Self { shell, script: word }),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn runs(entrypoint: &str, cmd: &str, pod_command: &str, pod_args: &str) -> Option<String> {
        let image =
            ImageConfig { entrypoint: words(entrypoint), command: words(cmd), ..ImageConfig::default() };
        let line = CommandLine::of_container(&words(pod_command), &words(pod_args), &image)?;
        Some(line.words().collect::<Vec<_>>().join(" "))
    }

    /// <https://kubernetes.io/docs/tasks/inject-data-application/define-command-argument-container/>
    #[test]
    fn the_four_combinations_are_those_of_kubernetes() {
        let runs = |command, args| runs("/ep-1", "foo bar", command, args).unwrap();
        assert_eq!(runs("", ""), "/ep-1 foo bar");
        assert_eq!(runs("/ep-2", ""), "/ep-2");
        assert_eq!(runs("", "zoo boo"), "/ep-1 zoo boo");
        assert_eq!(runs("/ep-2", "zoo boo"), "/ep-2 zoo boo");
    }

    #[test]
    fn an_image_without_entry_point_runs_its_command() {
        assert_eq!(runs("", "/app serve", "", "").unwrap(), "/app serve");
        assert_eq!(runs("", "/app serve", "", "/other").unwrap(), "/other");
        assert_eq!(runs("", "", "", ""), None);
    }

    #[test]
    fn an_entry_point_that_was_reset_is_none() {
        let image =
            ImageConfig { entrypoint: vec![String::new()], command: words("/app"), ..ImageConfig::default() };
        assert_eq!(CommandLine::of_container(&[], &[], &image).unwrap().program(), "/app");
    }

    #[test]
    fn in_a_pod_an_image_s_dollars_stay_dollars() {
        let image = ImageConfig {
            entrypoint: vec!["/app".to_owned(), "$(HOME)".to_owned()],
            command: vec!["$$x".to_owned()],
            ..ImageConfig::default()
        };
        let line = CommandLine::of_container(&[], &["$(PORT)".to_owned()], &image).unwrap();
        assert_eq!(line.pod_words(), ["/app", "$$(HOME)", "$(PORT)"]);
        let line = CommandLine::of_container(&[], &[], &image).unwrap();
        assert_eq!(line.pod_words(), ["/app", "$$(HOME)", "$$$$x"]);
    }

    #[test]
    fn a_shell_s_script_is_recognised() {
        for (line, expected) in [
            (&["/bin/sh", "-c", "exec /app"][..], Some("exec /app")),
            (&["/bin/bash", "-o", "pipefail", "-c", "/app | tee x"], Some("/app | tee x")),
            (&["bash", "-euo", "pipefail", "-c", "/app"], Some("/app")),
            (&["bash", "--login", "-ec", "/app", "zero"], Some("/app")),
            (&["sh", "-c", "--", "/app"], Some("/app")),
            (&["sh", "/entrypoint.sh"], None),
            (&["sh", "-c"], None),
            (&["sh", "--", "-c"], None),
            (&["/app/server", "-c", "config.yaml"], None),
            (&[], None),
        ] {
            assert_eq!(ShellForm::of(line).map(|form| form.script), expected, "{line:?}");
        }
    }
}
