//! From facts to what is shown: applies the rules, and lets causes explain their consequences.

use crate::{Diagnosis, Facts, Hop, Severity, rules};

/// What came of looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examination {
    /// Findings, what matters most first; of equal ones, the earliest hop first.
    pub diagnoses: Vec<Diagnosis>,
}

impl Examination {
    /// Folds consequences under their causes, and sorts.
    #[must_use]
    pub fn new(mut found: Vec<Diagnosis>) -> Self {
        found.sort_by(|one, other| order(one).cmp(&order(other)));
        found.dedup();
        let causes: Vec<Option<usize>> = (0..found.len()).map(|index| cause_of(&found, index)).collect();
        let roots: Vec<usize> = (0..found.len()).map(|index| root(&causes, index)).collect();
        let mut slots: Vec<Option<Diagnosis>> = found.into_iter().map(Some).collect();
        for (index, root) in roots.iter().copied().enumerate().filter(|(index, root)| index != root) {
            let consequence = slots.get_mut(index).and_then(Option::take);
            if let (Some(consequence), Some(Some(cause))) = (consequence, slots.get_mut(root)) {
                cause.consequences.push(consequence);
            }
        }
        Self { diagnoses: slots.into_iter().flatten().collect() }
    }

    /// The worst finding of a hop, if it was looked at.
    #[must_use]
    pub fn at(&self, hop: Hop) -> Option<Severity> {
        let everything =
            self.diagnoses.iter().chain(self.diagnoses.iter().flat_map(|found| &found.consequences));
        everything.filter(|found| found.hop == hop).map(|found| found.severity).min()
    }

    /// Whether something was found that loses data or falsifies it.
    #[must_use]
    pub fn has_cause(&self) -> bool {
        self.diagnoses.iter().any(|found| found.severity == Severity::Error)
    }

    /// Whether nothing was found to be right or wrong: it could not be looked at, or decides nothing.
    #[must_use]
    pub fn saw_nothing(&self) -> bool {
        self.diagnoses.iter().all(|found| matches!(found.severity, Severity::Unknown | Severity::Note))
    }
}

/// Applies all rules.
#[must_use]
pub fn examine(facts: &Facts) -> Examination {
    Examination::new(rules::all(facts))
}

fn order(diagnosis: &Diagnosis) -> (Severity, Hop, &str, &'static str) {
    (diagnosis.severity, diagnosis.hop, &diagnosis.subject, diagnosis.id.name())
}

/// The first finding that explains another one. Only what is wrong is explained.
fn cause_of(found: &[Diagnosis], index: usize) -> Option<usize> {
    let consequence = found.get(index)?;
    if consequence.severity > Severity::Unknown {
        return None;
    }
    found.iter().enumerate().position(|(at, cause)| {
        at != index
            && cause.explains.contains(&consequence.id)
            && match (&cause.chain, &consequence.chain) {
                (Some(one), Some(other)) => one == other,
                // Of what was given side by side it is not known what belongs together; it most likely does.
                _ => true,
            }
    })
}

/// The cause of the cause, as far as it goes. Two that explain each other both stay.
fn root(causes: &[Option<usize>], index: usize) -> usize {
    let mut at = index;
    for _ in 0..causes.len() {
        match causes.get(at).copied().flatten() {
            Some(cause) => at = cause,
            None => return at,
        }
    }
    index
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Id;

    fn finding(id: Id, hop: Hop, chain: Option<&str>) -> Diagnosis {
        Diagnosis::new(id, Severity::Error, hop, "x", "x").chain(chain)
    }

    #[test]
    fn a_cause_takes_its_consequences_along() {
        let found = vec![
            finding(Id::NoData, Hop::Data, None),
            finding(Id::GocoverdirUnset, Hop::Pod, None).explains(&[Id::NoData]),
            finding(Id::NotInstrumented, Hop::Build, None).explains(&[Id::GocoverdirUnset]),
        ];
        let examination = Examination::new(found);
        assert_eq!(examination.diagnoses.len(), 1);
        assert_eq!(examination.diagnoses[0].id, Id::NotInstrumented);
        let ids: Vec<Id> = examination.diagnoses[0].consequences.iter().map(|found| found.id).collect();
        assert_eq!(ids, [Id::GocoverdirUnset, Id::NoData]);
    }

    #[test]
    fn a_cause_in_one_workload_explains_nothing_in_another() {
        let cause = finding(Id::NotInstrumented, Hop::Build, Some("api")).explains(&[Id::NoData]);
        let examination = Examination::new(vec![cause, finding(Id::NoData, Hop::Data, Some("worker"))]);
        assert_eq!(examination.diagnoses.len(), 2);
    }

    #[test]
    fn findings_that_explain_each_other_are_not_lost() {
        let one = finding(Id::NoData, Hop::Data, None).explains(&[Id::CountersMissing]);
        let other = finding(Id::CountersMissing, Hop::Data, None).explains(&[Id::NoData]);
        assert_eq!(Examination::new(vec![one, other]).diagnoses.len(), 2);
    }

    #[test]
    fn names_are_unique_and_kebab_case() {
        for id in Id::ALL {
            assert_eq!(Id::from_name(id.name()), Some(*id));
            assert!(id.name().chars().all(|one| one.is_ascii_lowercase() || one == '-'), "{id}");
        }
    }
}
