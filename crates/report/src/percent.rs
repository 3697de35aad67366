//! How a share is written. It never claims more than is true.

use go_coverage::Totals;

/// In percent with one decimal, such as `71.4`; `–` where there is no statement.
///
/// `100.0` means every statement, and `0.0` means none: what would round to one of them stays a tenth away.
#[must_use]
pub fn percent(totals: Totals) -> String {
    let Totals { statements, covered } = totals;
    if statements == 0 {
        return "–".to_owned();
    }
    let (statements, covered) = (u128::from(statements), u128::from(covered.min(statements)));
    let nearest = (covered * 2000 + statements) / (statements * 2);
    let tenths = match covered {
        0 => 0,
        _ if covered == statements => 1000,
        _ => nearest.clamp(1, 999),
    };
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(covered: u64, statements: u64) -> String {
        percent(Totals { statements, covered })
    }

    #[test]
    fn one_decimal_is_rounded_to_the_nearest() {
        assert_eq!(share(5, 7), "71.4");
        assert_eq!(share(1, 3), "33.3");
        assert_eq!(share(2, 3), "66.7");
        assert_eq!(share(1, 2), "50.0");
    }

    #[test]
    fn all_and_none_are_said_only_when_they_are_true() {
        assert_eq!(share(9_999, 10_000), "99.9");
        assert_eq!(share(9_996, 10_000), "99.9");
        assert_eq!(share(1, 100_000), "0.1");
        assert_eq!(share(0, 100_000), "0.0");
        assert_eq!(share(100_000, 100_000), "100.0");
        assert_eq!(share(u64::MAX - 1, u64::MAX), "99.9");
    }

    #[test]
    fn no_statement_is_not_zero_percent() {
        assert_eq!(share(0, 0), "–");
    }
}
