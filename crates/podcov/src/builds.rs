//! Builds of one program, or of programs that share packages, of which the sources differ.
//!
//! Owns what is a build and what it is called. Which files differ is podcov-report's to say.

use std::collections::{BTreeSet, HashMap};
use std::path::{Component, Path, PathBuf};

use go_coverage::{CounterMode, Join, MetaDataFile, Profile, ProgramCounts};
use podcov_report::Versions;

use crate::coverage_data::{AddedUp, CovdataDirectory, Group};
use crate::kinds::Kinds;

/// Enough of a hash to recognise the file by it.
const SHORT_HASH: usize = 8;

/// Programs of the same place of which no package differs, or a text profile; and what they alone have.
pub struct Build {
    pub label: String,
    pub profile: Profile,
    /// Its figures stand in the report anyway, as those of a group, or there are none.
    is_shown: bool,
}

/// The builds of which sources may differ: none where all programs have the same packages, and there is no text profile to
/// compare them with.
pub fn candidates(added: &AddedUp, groups: &[Group], kinds: &Kinds) -> Vec<Build> {
    let differing = differing_packages(added.programs.iter());
    let texts = kinds.texts();
    if differing.is_empty() && texts.len() == 0 {
        return Vec::new();
    }
    let mut of_programs: Vec<Programs<'_>> = Vec::new();
    for (index, program) in added.programs.iter().enumerate() {
        let own = added.programs_of_groups.iter().enumerate();
        let own = own.filter(|(_, programs)| programs.contains(&program.hash())).map(|(group, _)| group);
        let own = Programs::of(own.collect(), program, added.counts.get(index));
        match of_programs.iter_mut().find(|build| build.agrees_with(&own)) {
            Some(build) => build.add(own),
            None => of_programs.push(own),
        }
    }
    let may_differ = |build: &&Programs<'_>| {
        texts.len() > 0 || build.packages.keys().any(|package| differing.contains(package))
    };
    let of_programs: Vec<Build> =
        of_programs.iter().filter(may_differ).map(|build| build.build(added, groups)).collect();
    let of_texts = texts.map(|(path, text)| Build {
        label: named_by_the_user(path),
        profile: go_coverage::join_profiles(text.mode(), [], [text]),
        is_shown: false,
    });
    of_programs.into_iter().chain(of_texts).collect()
}

/// Programs that belong together.
struct Programs<'a> {
    /// Indices of the groups that have them.
    groups: Vec<usize>,
    mode: CounterMode,
    list: Vec<(&'a MetaDataFile<'static>, Option<&'a ProgramCounts>)>,
    /// The meta-data of each package.
    packages: HashMap<&'a str, &'a [u8]>,
}

impl<'a> Programs<'a> {
    fn of(groups: Vec<usize>, program: &'a MetaDataFile<'static>, counts: Option<&'a ProgramCounts>) -> Self {
        let packages = program.packages().map(|package| (package.import_path(), package.as_bytes()));
        Self { groups, mode: program.mode(), list: vec![(program, counts)], packages: packages.collect() }
    }

    fn agrees_with(&self, other: &Self) -> bool {
        let same = |(path, bytes): (&&str, &&[u8])| self.packages.get(path).is_none_or(|own| own == bytes);
        (&self.groups, self.mode) == (&other.groups, other.mode) && other.packages.iter().all(same)
    }

    fn add(&mut self, other: Self) {
        self.list.extend(other.list);
        self.packages.extend(other.packages);
    }

    fn build(&self, added: &AddedUp, groups: &[Group]) -> Build {
        let is_group = match self.groups.as_slice() {
            [group] => added.programs_of_groups.get(*group).is_some_and(|all| all.len() == self.list.len()),
            _ => false,
        };
        let own: Vec<&Group> = self.groups.iter().filter_map(|group| groups.get(*group)).collect();
        let label = match own.as_slice() {
            [group] if is_group => group.label.clone(),
            own => self.label(own),
        };
        let has_counts = self.list.iter().any(|(_, counts)| counts.is_some());
        Build {
            label: if has_counts { label } else { format!("{label}, without counters") },
            profile: Join::new(self.mode, self.list.iter().copied(), |_| true).profile(),
            is_shown: !has_counts || (is_group && groups.len() > 1),
        }
    }

    /// `build 3f2a91c0 (deployment/api: api-7d9f4-x2k/app-0 and 2 more)`
    fn label(&self, groups: &[&Group]) -> String {
        let hashes: Vec<String> = self.list.iter().map(|(program, _)| program.hash().to_string()).collect();
        let first = hashes.first().map_or("", String::as_str);
        let places = groups.iter().map(|group| place_in(group, &hashes)).collect::<Vec<_>>().join(", ");
        format!("build {}{} ({places})", first.get(..SHORT_HASH).unwrap_or(first), and_more(hashes.len()))
    }
}

/// The group, and the first of its directories that has these programs: of a workload, that of a pod.
fn place_in(group: &Group, programs: &[String]) -> String {
    let common = group.directories.iter().map(|directory| directory.path.clone()).reduce(|common, path| {
        let same = common.components().zip(path.components()).take_while(|(one, other)| one == other);
        same.map(|(component, _)| component).collect()
    });
    let has_them =
        |directory: &&CovdataDirectory| programs.iter().any(|program| directory.programs().contains(program));
    let below = |directory: &'_ CovdataDirectory| {
        let below = directory.path.strip_prefix(common.as_deref()?).ok()?;
        (!below.as_os_str().is_empty()).then(|| below.display().to_string())
    };
    let places: Vec<String> = group.directories.iter().filter(has_them).filter_map(below).collect();
    match places.first() {
        Some(first) => format!("{}: {first}{}", group.label, and_more(places.len())),
        None => group.label.clone(),
    }
}

/// Of so many the first is named.
fn and_more(count: usize) -> String {
    if count > 1 { format!(" and {} more", count - 1) } else { String::new() }
}

/// Inputs are recorded relative to the run directory, which often lies beside them.
fn named_by_the_user(path: &Path) -> String {
    let below = path.components().skip_while(|component| *component == Component::ParentDir);
    below.collect::<PathBuf>().display().to_string()
}

/// Packages that not all programs have the same.
fn differing_packages<'a>(programs: impl Iterator<Item = &'a MetaDataFile<'static>>) -> BTreeSet<&'a str> {
    let mut known = HashMap::new();
    let packages = programs.flat_map(MetaDataFile::packages);
    let differing = packages.filter(|package| {
        *known.entry(package.import_path()).or_insert(package.as_bytes()) != package.as_bytes()
    });
    differing.map(|package| package.import_path()).collect()
}

/// The builds that have a version of a file which others have not, as far as their figures do not stand elsewhere.
pub fn to_be_shown(builds: Vec<Build>, versions: &Versions) -> impl Iterator<Item = (String, Profile)> {
    let named: BTreeSet<&str> = versions
        .iter()
        .flat_map(|(_, versions)| versions)
        .flat_map(|version| &version.builds)
        .map(String::as_str)
        .collect();
    let shown = |build: &Build| !build.is_shown && named.contains(build.label.as_str());
    let shown: Vec<_> = builds.into_iter().filter(shown).collect();
    shown.into_iter().map(|build| (build.label, build.profile))
}
