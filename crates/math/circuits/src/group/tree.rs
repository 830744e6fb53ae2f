//! The Merkle tree of a group: 256 places, members first and in the order of their codes.

use super::list::GroupName;
use crate::Fr;
use crate::value::{Country, Domain, Element, hash, node, tag};

/// Levels of a group's tree.
pub(crate) const GROUP_DEPTH: usize = 8;

/// A group with its tree.
#[derive(Debug)]
pub struct Group {
    name: GroupName,
    members: Vec<Country>,
    levels: Vec<Vec<Fr>>,
}

/// A nationality that is not in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a member of the group")]
pub struct NotMember;

/// A way from a leaf up: the siblings, and whether each stands on the left.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Path {
    pub siblings: [Fr; GROUP_DEPTH],
    pub right: [bool; GROUP_DEPTH],
}

impl Group {
    /// The group of a name.
    pub fn of(name: GroupName) -> Self {
        let members: Vec<Country> = name.members().collect();
        let mut levels = vec![leaves(&members)];
        for up in 0..GROUP_DEPTH {
            let above = levels[up].chunks(2).map(|two| node(two[0], two[1])).collect();
            levels.push(above);
        }
        Self { name, members, levels }
    }

    /// Its name and version.
    pub fn name(&self) -> GroupName {
        self.name
    }

    /// Who is in it.
    pub fn members(&self) -> &[Country] {
        &self.members
    }

    /// The root that a proof names.
    pub fn root(&self) -> Element {
        Element(self.levels[GROUP_DEPTH][0])
    }

    /// The way up from a member.
    pub(crate) fn path(&self, code: Fr) -> Result<Path, NotMember> {
        let place = self.members.iter().position(|m| m.element() == code).ok_or(NotMember)?;
        Ok(self.path_at(place))
    }

    pub(crate) fn path_at(&self, place: usize) -> Path {
        Path {
            siblings: std::array::from_fn(|up| self.levels[up][(place >> up) ^ 1]),
            right: std::array::from_fn(|up| (place >> up) & 1 == 1),
        }
    }
}

impl Path {
    /// The root over a leaf.
    pub(crate) fn root(&self, leaf: Fr) -> Fr {
        self.siblings.iter().zip(self.right).fold(leaf, |below, (sibling, right)| {
            if right { node(*sibling, below) } else { node(below, *sibling) }
        })
    }
}

/// The leaf of a code. A code of more than 24 bits could reach the padding: circuits check it.
pub(crate) fn leaf(code: Fr) -> Fr {
    hash(&[tag(Domain::Leaf, 0) + code])
}

fn leaves(members: &[Country]) -> Vec<Fr> {
    let mut places: Vec<Fr> = members.iter().map(|m| leaf(m.element())).collect();
    let padding =
        (places.len()..1 << GROUP_DEPTH).map(|at| hash(&[tag(Domain::Padding, at as u32)]));
    places.extend(padding);
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_member_has_a_way_to_the_root_and_nobody_else() {
        for name in GroupName::all() {
            let group = Group::of(name);
            for member in group.members() {
                let path = group.path(member.element()).unwrap();
                assert_eq!(path.root(leaf(member.element())), group.root().0, "{member}");
            }
            let other = "ATA".parse::<Country>().unwrap().element();
            assert_eq!(group.path(other).err(), Some(NotMember));
        }
    }

    #[test]
    fn padding_is_a_member_of_no_group_and_a_node_no_leaf() {
        let group = Group::of(GroupName::all()[0]);
        let place = group.members().len();
        let padding = group.path_at(place);
        // The padding itself leads to the root, so its place in the domain of leaves must not.
        assert_eq!(padding.root(group.levels[0][place]), group.root().0);
        for code in [0, place as u64, 0x00ff_ffff] {
            assert_ne!(padding.root(leaf(Fr::from(code))), group.root().0);
        }
        assert_ne!(leaf(group.levels[1][0]), group.levels[0][0]);
    }
}
