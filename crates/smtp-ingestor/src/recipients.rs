//! Which recipients are known: the globs of `smtp.recipients`.

/// Globs (`*`: any text, `?`: any character), matched without regard to case. None at all match everything.
#[derive(Debug)]
pub(crate) struct Recipients(Vec<Vec<char>>);

impl Recipients {
    pub(crate) fn new(globs: &[String]) -> Self {
        Self(globs.iter().map(|glob| glob.to_lowercase().chars().collect()).collect())
    }

    /// Whether mail to this address is taken. `postmaster` without a domain always is (RFC 5321 §4.5.1).
    pub(crate) fn accept(&self, address: &str) -> bool {
        if self.0.is_empty() || address.eq_ignore_ascii_case("postmaster") {
            return true;
        }
        let address: Vec<char> = address.to_lowercase().chars().collect();
        self.0.iter().any(|glob| matches(glob, &address))
    }
}

/// Remembers the last `*` and lets it take one character more whenever the rest does not fit: no recursion, and
/// at most glob × text steps.
fn matches(glob: &[char], text: &[char]) -> bool {
    let (mut g, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match glob.get(g) {
            Some('*') => {
                star = Some((g, t));
                g += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[t] => {
                g += 1;
                t += 1;
            }
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                g = at + 1;
                t = taken + 1;
            }
        }
    }
    glob[g..].iter().all(|&rest| rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_addresses_without_case() {
        let known = Recipients::new(&["alerts@*".into(), "ops+?@Example.org".into(), "*@*.жук.рф".into()]);
        for address in ["alerts@", "Alerts@anywhere", "ops+я@example.ORG", "a@b.ЖУК.рф", "Postmaster"] {
            assert!(known.accept(address), "{address}");
        }
        for address in ["alert@x", "xalerts@x", "ops+ab@example.org", "ops+@example.org", "a@жук.рф", ""] {
            assert!(!known.accept(address), "{address}");
        }
        assert!(Recipients::new(&[]).accept("anyone@anywhere"));
    }

    #[test]
    fn stars_that_must_step_back_find_their_match_quickly() {
        let stars = "*a".repeat(50);
        assert!(Recipients::new(&[format!("{stars}b")]).accept(&format!("{}b", "a".repeat(500))));
        assert!(!Recipients::new(&[format!("{stars}b")]).accept(&"a".repeat(500)));
    }
}
