//! The rules of a grant and of the grants above it: all of them hold.

use std::sync::Arc;

use symbolon_codec::Digest32;

use crate::budget::Hold;
use crate::catalog::Operation;
use crate::gate::Refusal;
use crate::rules::{Asked, Cost, Judged, Rules, Said};

/// From the root down, grants without rules left out. A root's budgets are one account for all that
/// is under it: what a grant takes, those beside it cannot take.
#[derive(Debug, Clone, Default)]
pub struct Chain(Vec<Arc<Rules>>);

impl Chain {
    /// With the rules of the grant above in front.
    #[must_use]
    pub fn under(&self, parent: &Self) -> Self {
        Self(parent.0.iter().chain(&self.0).cloned().collect())
    }

    /// The rules of each grant that has any.
    pub fn each(&self) -> impl Iterator<Item = &Rules> {
        self.0.iter().map(|rules| &**rules)
    }

    /// Looks at a call; takes nothing.
    pub(crate) fn judge(&self, asked: Asked<'_>) -> Judged {
        let mut judged = Judged::default();
        self.0.iter().for_each(|rules| rules.judge(asked, &mut judged));
        judged
    }

    /// Takes what a call costs of every grant, or nothing of any.
    pub(crate) fn take(
        &self,
        intent: &Digest32,
        costs: &[Cost],
        asked: Asked<'_>,
        regardless: bool,
        missed: &mut Vec<Refusal>,
    ) -> Result<Hold, Refusal> {
        // Whatever is returned early gives back what was taken before it.
        let mut hold = Hold::default();
        for rules in &self.0 {
            rules.take(intent, costs, asked, regardless, missed, &mut hold)?;
        }
        Ok(hold)
    }

    /// What each rule says of a call: for people.
    pub(crate) fn explain(&self, asked: Asked<'_>) -> Vec<Said> {
        let mut rows = Vec::new();
        self.0.iter().for_each(|rules| rules.explain(asked, &mut rows));
        rows
    }

    /// Which rules are about an operation, as receipts name them.
    pub(crate) fn names(&self, operation: &Operation) -> Vec<&'static str> {
        let mut found = [false; 3];
        for kinds in self.0.iter().map(|rules| rules.kinds(operation)) {
            found.iter_mut().zip(kinds).for_each(|(found, has)| *found |= has);
        }
        let named = ["window", "cooldown", "budget"].into_iter().zip(found);
        named.filter_map(|(name, has)| has.then_some(name)).collect()
    }

    /// Whether no grant of the lineage has rules.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Option<Arc<Rules>>> for Chain {
    fn from(rules: Option<Arc<Rules>>) -> Self {
        Self(rules.into_iter().collect())
    }
}
