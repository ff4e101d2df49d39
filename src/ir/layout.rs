//! Where a population's neurons stand: as ids on a stream, and as lanes, banks and words in a core.
//!
//! Neurons of a population of shape `[C, H, W]` are numbered row-major, `n = (c·H + y)·W + x`. A vector of `N` neurons is an image of
//! `N` channels and one pixel.

use serde::{Deserialize, Serialize};

/// How the `id` of an event names a neuron.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "ids", rename_all = "snake_case")]
pub enum IdLayout {
    /// The id is the neuron's number. What dense cores read and write.
    Linear {
        /// Number of neurons.
        neurons: usize,
    },
    /// `{y, x, c}`, each in as many bits as its extent needs (none for an extent of 1), `c` lowest. What window cores read and
    /// write: they need no division to find a pixel.
    Fields {
        /// `[C, H, W]`.
        extent: [usize; 3],
    },
}

/// Bits that count to `extent - 1`; none for an extent of 1.
fn field_bits(extent: usize) -> u32 {
    usize::BITS - extent.saturating_sub(1).leading_zeros()
}

impl IdLayout {
    /// Bits of an id (at least 1).
    pub fn id_bits(&self) -> u32 {
        match self {
            IdLayout::Linear { neurons } => field_bits(*neurons),
            IdLayout::Fields { extent } => extent.iter().map(|&e| field_bits(e)).sum(),
        }
        .max(1)
    }

    /// The largest id that a neuron has.
    pub fn last_id(&self) -> u64 {
        u64::from(self.id(self.neurons().saturating_sub(1)))
    }

    /// Bits of the fields `[c, y, x]`.
    pub fn bits(&self) -> [u32; 3] {
        match self {
            IdLayout::Linear { neurons } => [field_bits(*neurons), 0, 0],
            IdLayout::Fields { extent } => extent.map(field_bits),
        }
    }

    /// Number of neurons.
    pub fn neurons(&self) -> usize {
        match self {
            IdLayout::Linear { neurons } => *neurons,
            IdLayout::Fields { extent } => extent.iter().fold(1usize, |n, &d| n.saturating_mul(d)),
        }
    }

    /// The id of neuron `n`.
    pub fn id(&self, n: usize) -> u32 {
        match self {
            IdLayout::Linear { .. } => n as u32,
            IdLayout::Fields { extent: [_, h, w] } => {
                let (c, y, x) = (n / (h * w), n / w % h, n % w);
                let [c_bits, _, x_bits] = self.bits();
                ((((y << x_bits) | x) << c_bits) | c) as u32
            }
        }
    }

    /// The neuron that an id names; `None` for ids that no neuron has.
    pub fn neuron(&self, id: u32) -> Option<usize> {
        let [c, y, x] = self.place(id)?;
        match self {
            IdLayout::Linear { .. } => Some(c),
            IdLayout::Fields { extent: [_, h, w] } => Some((c * h + y) * w + x),
        }
    }

    /// `[c, y, x]` of the neuron that an id names, a linear id being a channel; `None` for ids that no neuron has.
    pub fn place(&self, id: u32) -> Option<[usize; 3]> {
        let id = id as usize;
        match self {
            IdLayout::Linear { neurons } => (id < *neurons).then_some([id, 0, 0]),
            IdLayout::Fields { extent: [c_all, h, w] } => {
                let [c_bits, _, x_bits] = self.bits();
                let c = id & ((1 << c_bits) - 1);
                let x = (id >> c_bits) & ((1 << x_bits) - 1);
                let y = id >> (c_bits + x_bits);
                (c < *c_all && x < *w && y < *h).then_some([c, y, x])
            }
        }
    }
}

/// How the membranes of a core are spread over lanes, banks and words.
///
/// Channel `c` is channel lane `c mod lanes` of channel group `c div lanes`; row `y` is bank row `y mod banks[0]` of block row
/// `y div banks[0]`, columns alike. A *group* is one channel group of one block: group number `(block row · blocks a row + block
/// column) · channel groups + channel group`. A group's lanes are numbered `(bank row · banks[1] + bank column) · lanes + channel lane`.
/// A dense core is the case of one pixel and one bank.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// `[C, H, W]` of the population.
    pub extent: [usize; 3],
    /// Channel lanes.
    pub lanes: usize,
    /// Bank rows and columns.
    pub banks: [usize; 2],
}

/// A neuron's place in a core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Group number: the word of the bank's memory.
    pub group: usize,
    /// Lane in the group, all banks counted.
    pub lane: usize,
}

impl Grid {
    /// Channel groups, `⌈C / lanes⌉`.
    pub fn channel_groups(&self) -> usize {
        self.extent[0].div_ceil(self.lanes)
    }

    /// Block rows and block columns.
    pub fn blocks(&self) -> [usize; 2] {
        [self.extent[1].div_ceil(self.banks[0]), self.extent[2].div_ceil(self.banks[1])]
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        let [rows, columns] = self.blocks();
        rows * columns * self.channel_groups()
    }

    /// Lanes of a group, all banks counted.
    pub fn group_lanes(&self) -> usize {
        self.lanes * self.banks[0] * self.banks[1]
    }

    /// Where neuron `n` stands.
    pub fn place(&self, n: usize) -> Place {
        let [_, h, w] = self.extent;
        let (c, y, x) = (n / (h * w), n / w % h, n % w);
        let block = (y / self.banks[0]) * self.blocks()[1] + x / self.banks[1];
        let bank = (y % self.banks[0]) * self.banks[1] + x % self.banks[1];
        Place { group: block * self.channel_groups() + c / self.lanes, lane: bank * self.lanes + c % self.lanes }
    }

    /// Every neuron in the order of the places: group after group, lowest lane first.
    pub fn neurons(self) -> impl Iterator<Item = usize> {
        let places =
            (0..self.groups()).flat_map(move |group| (0..self.group_lanes()).map(move |lane| Place { group, lane }));
        places.filter_map(move |place| self.neuron(place))
    }

    /// The neuron at a place; `None` where the grid sticks out over the image or the channels.
    pub fn neuron(&self, place: Place) -> Option<usize> {
        let (bank, lane) = (place.lane / self.lanes, place.lane % self.lanes);
        let (block, group) = (place.group / self.channel_groups(), place.group % self.channel_groups());
        let [c_all, h, w] = self.extent;
        let c = group * self.lanes + lane;
        let y = block / self.blocks()[1] * self.banks[0] + bank / self.banks[1];
        let x = block % self.blocks()[1] * self.banks[1] + bank % self.banks[1];
        (c < c_all && y < h && x < w).then_some((c * h + y) * w + x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_take_no_bits_for_an_extent_of_one() {
        let layout = IdLayout::Fields { extent: [1, 28, 28] };
        assert_eq!((layout.id_bits(), layout.id(29), layout.neuron(33)), (10, 33, Some(29)));
        assert_eq!((layout.neuron(28), layout.neuron(28 << 5)), (None, None));
        assert_eq!(IdLayout::Fields { extent: [1, 1, 1] }.id_bits(), 1);
        assert_eq!(IdLayout::Fields { extent: [5, 1, 1] }.id(4), 4);
    }

    proptest! {
        #[test]
        fn ids_and_places_name_every_neuron_once(
            extent in [1usize..7, 1usize..7, 1usize..7], lanes in 1usize..5, banks in [1usize..4, 1usize..4],
        ) {
            let layout = IdLayout::Fields { extent };
            let grid = Grid { extent, lanes, banks };
            let mut ids = std::collections::BTreeSet::new();
            let mut places = std::collections::BTreeSet::new();
            for n in 0..layout.neurons() {
                let (id, place) = (layout.id(n), grid.place(n));
                prop_assert!(id < 1 << layout.id_bits() && layout.neuron(id) == Some(n) && ids.insert(id));
                prop_assert!(place.group < grid.groups() && place.lane < grid.group_lanes());
                prop_assert!(grid.neuron(place) == Some(n) && places.insert((place.group, place.lane)));
            }
        }
    }
}
