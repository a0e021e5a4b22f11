//! A sorted map for what captures and dumps hold, whose keys all are numbers in some form. The standard library's search
//! tree is in the program once for every pair of types, with 4 KiB each time; here one tree of numbers serves all of them.

use super::PortRead;
use crate::format::pci::Address;
use std::collections::BTreeMap;

/// What can be a key: its number, different for different keys, and in their order.
pub trait Numbered: Copy {
    /// The key's number.
    fn number(self) -> u64;
}

impl Numbered for u16 {
    fn number(self) -> u64 {
        self.into()
    }
}

impl Numbered for u32 {
    fn number(self) -> u64 {
        self.into()
    }
}

/// A leaf of CPUID and its subleaf.
impl Numbered for (u32, u32) {
    fn number(self) -> u64 {
        u64::from(self.0) << 32 | u64::from(self.1)
    }
}

impl Numbered for Address {
    fn number(self) -> u64 {
        let place = [0, self.bus, self.device, self.function];
        u64::from(self.domain) << 32 | u64::from(u32::from_be_bytes(place))
    }
}

impl Numbered for PortRead {
    fn number(self) -> u64 {
        let (kind, number) = match self {
            PortRead::Byte(port) => (0, port.into()),
            PortRead::Word(port) => (1, port.into()),
            PortRead::Cmos(index) => (2, index.into()),
            PortRead::PciConfig {
                bus,
                device,
                function,
                offset,
            } => (3, u32::from_be_bytes([bus, device, function, offset])),
            PortRead::Msr(number) => (4, number),
        };
        kind << 32 | u64::from(number)
    }
}

/// A map from such keys, in their order.
#[derive(Debug)]
pub struct NumberMap<K, V> {
    /// Where a number's row is.
    places: BTreeMap<u64, usize>,
    rows: Vec<(K, V)>,
}

impl<K, V> Default for NumberMap<K, V> {
    fn default() -> NumberMap<K, V> {
        NumberMap {
            places: BTreeMap::new(),
            rows: Vec::new(),
        }
    }
}

impl<K: Numbered, V> NumberMap<K, V> {
    /// The value of `key`, which is `value` from now on if it had none.
    pub fn get_or_insert(&mut self, key: K, value: V) -> &mut V {
        let end = self.rows.len();
        let place = *self.places.entry(key.number()).or_insert(end);
        if place == end {
            self.rows.push((key, value));
        }
        &mut self.rows[place].1
    }

    /// Gives `key` this value in the place of any before.
    pub fn insert(&mut self, key: K, value: V) {
        match self.places.get(&key.number()) {
            Some(place) => self.rows[*place].1 = value,
            None => drop(self.get_or_insert(key, value)),
        }
    }

    /// The value of `key`.
    pub fn get(&self, key: K) -> Option<&V> {
        let place = *self.places.get(&key.number())?;
        self.rows.get(place).map(|row| &row.1)
    }

    /// Keys and values in the order of the keys.
    pub fn iter(&self) -> impl Iterator<Item = (K, &V)> {
        let rows = self
            .places
            .values()
            .filter_map(|place| self.rows.get(*place));
        rows.map(|row| (row.0, &row.1))
    }

    /// How many keys have a value.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_apart_and_sorted_as_they_sort_themselves() {
        let of_functions = [(0, 0, 0), (0, 1, 7), (0, 2, 0), (1, 0, 0), (255, 31, 7)];
        let of_functions = of_functions.map(|(bus, device, function)| PortRead::PciConfig {
            bus,
            device,
            function,
            offset: 252,
        });
        let mut keys = vec![
            PortRead::Byte(0x12),
            PortRead::Byte(0xffff),
            PortRead::Word(0x10),
            PortRead::Cmos(0x7f),
        ];
        keys.extend(of_functions);
        assert!(keys.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(keys
            .windows(2)
            .all(|pair| pair[0].number() < pair[1].number()));
        let mut map = NumberMap::default();
        for key in keys.iter().rev() {
            map.insert(*key, 0);
            map.insert(*key, 1);
            *map.get_or_insert(*key, 7) += 1;
        }
        let found: Vec<_> = map.iter().map(|row| (row.0, *row.1)).collect();
        let expected: Vec<_> = keys.iter().map(|key| (*key, 2)).collect();
        assert_eq!(found, expected);
        assert_eq!((map.len(), map.get(keys[0])), (keys.len(), Some(&2)));
        assert_eq!(map.get(PortRead::Cmos(0)), None);
    }

    #[test]
    fn addresses_sort_by_domain_first() {
        let address = |text| Address::parse(text).unwrap();
        let sorted = [
            "0000:00:1f.7",
            "0000:ff:00.0",
            "0001:00:00.0",
            "10000:00:00.0",
        ]
        .map(address);
        assert!(sorted
            .windows(2)
            .all(|pair| pair[0].number() < pair[1].number()));
        assert!((1u32, 9u32).number() < (2, 0).number());
    }
}
