//! What an address is, by the registries of special-purpose addresses
//! (<https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/iana-ipv6-special-registry>). What is not
//! known to be public is not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where an address leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressClass {
    /// The open internet.
    Public,
    /// This machine.
    Loopback,
    /// A private network.
    Private,
    /// The neighbourhood of one link.
    LinkLocal,
    /// Behind a provider's shared address.
    Cgnat,
    /// What tells a cloud machine its secrets.
    Metadata,
    /// Many at once.
    Multicast,
    /// None at all.
    Unspecified,
    /// For documentation, tests, translation, the future.
    Reserved,
}

impl AddressClass {
    /// As it stands in errors.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::LinkLocal => "link-local",
            Self::Cgnat => "shared (CGNAT)",
            Self::Metadata => "a metadata service's",
            Self::Multicast => "multicast",
            Self::Unspecified => "unspecified",
            Self::Reserved => "reserved",
        }
    }
}

/// Blocks of addresses by their first address and the length of their prefix.
type Block<T> = (T, u8, AddressClass);

use AddressClass::{Cgnat, LinkLocal, Loopback, Metadata, Multicast, Private, Public, Reserved, Unspecified};

/// The first that fits counts.
const V4: [Block<[u8; 4]>; 25] = [
    ([169, 254, 169, 254], 32, Metadata),
    ([169, 254, 170, 2], 32, Metadata),
    ([169, 254, 170, 23], 32, Metadata),
    ([100, 100, 100, 200], 32, Metadata),
    ([192, 0, 0, 192], 32, Metadata),
    // Azure's, among public addresses.
    ([168, 63, 129, 16], 32, Metadata),
    ([0, 0, 0, 0], 32, Unspecified),
    ([0, 0, 0, 0], 8, Reserved),
    ([10, 0, 0, 0], 8, Private),
    ([100, 64, 0, 0], 10, Cgnat),
    ([127, 0, 0, 0], 8, Loopback),
    ([169, 254, 0, 0], 16, LinkLocal),
    ([172, 16, 0, 0], 12, Private),
    ([192, 0, 0, 0], 24, Reserved),
    ([192, 0, 2, 0], 24, Reserved),
    ([192, 31, 196, 0], 24, Reserved),
    ([192, 52, 193, 0], 24, Reserved),
    ([192, 88, 99, 0], 24, Reserved),
    ([192, 168, 0, 0], 16, Private),
    ([192, 175, 48, 0], 24, Reserved),
    ([198, 18, 0, 0], 15, Reserved),
    ([198, 51, 100, 0], 24, Reserved),
    ([203, 0, 113, 0], 24, Reserved),
    ([224, 0, 0, 0], 4, Multicast),
    ([240, 0, 0, 0], 4, Reserved),
];

/// Likewise; what is in none of these and not in `2000::/3` is reserved.
const V6: [Block<[u16; 8]>; 13] = [
    ([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, Metadata),
    ([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Metadata),
    ([0, 0, 0, 0, 0, 0, 0, 0], 128, Unspecified),
    ([0, 0, 0, 0, 0, 0, 0, 1], 128, Loopback),
    ([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Private),
    ([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, LinkLocal),
    ([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, Private),
    ([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, Multicast),
    // Teredo, ORCHID, benchmarks and others of the protocols' own.
    ([0x2001, 0, 0, 0, 0, 0, 0, 0], 23, Reserved),
    ([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, Reserved),
    // 6to4: the address in it is reached by whoever answers for it.
    ([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Reserved),
    ([0x2620, 0x4f, 0x8000, 0, 0, 0, 0, 0], 48, Reserved),
    ([0x3fff, 0, 0, 0, 0, 0, 0, 0], 20, Reserved),
];

/// Says where an address leads. Addresses of IPv6 that stand for one of IPv4 lead where that one leads.
///
/// ```
/// use perennial_stdlib::net::{AddressClass, classify};
/// assert_eq!(classify("::ffff:127.0.0.1".parse().unwrap()), AddressClass::Loopback);
/// assert_eq!(classify("93.184.215.14".parse().unwrap()), AddressClass::Public);
/// ```
pub fn classify(address: IpAddr) -> AddressClass {
    match address {
        IpAddr::V4(address) => classify_v4(address),
        IpAddr::V6(address) => classify_v6(address),
    }
}

fn classify_v4(address: Ipv4Addr) -> AddressClass {
    let bits = address.to_bits();
    let found = V4.iter().find(|(first, length, _)| {
        let mask = u32::MAX << (32 - u32::from(*length));
        bits & mask == u32::from_be_bytes(*first) & mask
    });
    found.map_or(Public, |(_, _, class)| *class)
}

fn classify_v6(address: Ipv6Addr) -> AddressClass {
    let parts = address.segments();
    let inner = Ipv4Addr::from_bits(u32::from(parts[6]) << 16 | u32::from(parts[7]));
    // Mapped, and translated by NAT64's well-known prefix.
    if parts[..6] == [0, 0, 0, 0, 0, 0xffff] || parts[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return classify_v4(inner);
    }
    let bits = address.to_bits();
    let found = V6.iter().find(|(first, length, _)| {
        let mask = u128::MAX << (128 - u32::from(*length));
        bits & mask == Ipv6Addr::from(*first).to_bits() & mask
    });
    if let Some((_, _, class)) = found {
        return *class;
    }
    // ISATAP has an address of IPv4 in its lower half.
    let is_isatap = parts[4] & 0xfdff == 0 && parts[5] == 0x5efe;
    if bits >> 125 == 1 && !is_isatap { Public } else { Reserved }
}

/// A range of addresses: `10.0.0.0/8`, `fd00::/8`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressRange {
    first: IpAddr,
    length: u8,
}

impl AddressRange {
    /// One address.
    pub fn one(address: IpAddr) -> Self {
        Self { first: address, length: if address.is_ipv4() { 32 } else { 128 } }
    }

    /// Reads one; `None` if it is none, or has bits behind its prefix.
    pub fn parse(text: &str) -> Option<Self> {
        let Some((first, length)) = text.split_once('/') else { return text.parse().ok().map(Self::one) };
        let (first, length): (IpAddr, u8) = (first.parse().ok()?, length.parse().ok()?);
        let most = if first.is_ipv4() { 32 } else { 128 };
        let range = Self { first, length };
        (length <= most && range.bits(first) == Self::one(first).bits(first)).then_some(range)
    }

    fn bits(&self, address: IpAddr) -> u128 {
        let shift = |width: u32| width - u32::from(self.length);
        match address {
            IpAddr::V4(address) => u128::from(u64::from(address.to_bits()) >> shift(32) << shift(32)),
            IpAddr::V6(address) => address.to_bits().checked_shr(shift(128)).map_or(0, |bits| bits << shift(128)),
        }
    }

    /// Whether an address is in it. One of IPv6 that is mapped from IPv4 is in the range of that one.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        address.is_ipv4() == self.first.is_ipv4() && self.bits(address) == self.bits(self.first)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_form_that_leads_inside_is_known() {
        for (text, class) in [
            ("127.0.0.1", Loopback),
            ("127.255.255.254", Loopback),
            ("0.0.0.0", Unspecified),
            ("0.1.2.3", Reserved),
            ("10.1.2.3", Private),
            ("172.16.0.1", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.168.1.1", Private),
            ("100.64.0.1", Cgnat),
            ("100.127.255.255", Cgnat),
            ("100.128.0.0", Public),
            ("169.254.1.1", LinkLocal),
            ("169.254.169.254", Metadata),
            ("168.63.129.16", Metadata),
            ("224.0.0.1", Multicast),
            ("255.255.255.255", Reserved),
            ("8.8.8.8", Public),
            ("::", Unspecified),
            ("::1", Loopback),
            ("::127.0.0.1", Reserved),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:8.8.8.8", Public),
            ("::ffff:0:127.0.0.1", Reserved),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b:1::8.8.8.8", Reserved),
            ("2002:7f00:1::", Reserved),
            ("2001:0:1:2::", Reserved),
            ("2606:4700::5efe:10.0.0.1", Reserved),
            ("2606:4700::200:5efe:10.0.0.1", Reserved),
            ("fe80::1", LinkLocal),
            ("fec0::1", Private),
            ("fd12::1", Private),
            ("fd00:ec2::254", Metadata),
            ("ff02::1", Multicast),
            ("2606:4700::1111", Public),
            ("4000::1", Reserved),
        ] {
            assert_eq!(classify(text.parse().expect("an address")), class, "{text}");
        }
    }

    #[test]
    fn ranges_are_read_strictly() {
        for good in ["10.0.0.0/8", "10.1.2.3", "::/0", "0.0.0.0/0", "fd00::/8", "::1/128"] {
            assert!(AddressRange::parse(good).is_some(), "{good}");
        }
        for bad in ["10.0.0.1/8", "10.0.0.0/33", "fd00::1/8", "10.0.0/8", "", "/8", "10.0.0.0/", "localhost"] {
            assert!(AddressRange::parse(bad).is_none(), "{bad}");
        }
        let private = AddressRange::parse("10.0.0.0/8").expect("a range");
        assert!(private.contains("::ffff:10.9.9.9".parse().expect("an address")));
        assert!(
            !private.contains("11.0.0.0".parse().expect("an address"))
                && !private.contains("::a00:1".parse().expect("an address"))
        );
    }

    proptest! {
        /// What the standard library knows of an address, the classifier knows too.
        #[test]
        fn nothing_that_is_known_to_be_special_is_public(bits in any::<u32>(), six in any::<u128>()) {
            let four = Ipv4Addr::from_bits(bits);
            let special = four.is_private() || four.is_loopback() || four.is_link_local() || four.is_multicast() || four.is_broadcast() || four.is_documentation() || four.is_unspecified();
            prop_assert!(!(special && classify(four.into()) == Public));
            prop_assert_eq!(classify(four.into()), classify(four.to_ipv6_mapped().into()));
            let six = Ipv6Addr::from_bits(six);
            let special = six.is_loopback() || six.is_multicast() || six.is_unspecified() || six.is_unique_local() || six.is_unicast_link_local();
            prop_assert!(!(special && classify(six.into()) == Public));
            prop_assert!(classify(six.into()) != Public || six.segments()[0] >> 13 == 1);
        }

        #[test]
        fn a_range_has_what_its_prefix_says(bits in any::<u32>(), other in any::<u32>(), length in 0..=32_u8) {
            let mask = u32::MAX.checked_shl(32 - u32::from(length)).unwrap_or(0);
            let range = AddressRange::parse(&format!("{}/{length}", Ipv4Addr::from_bits(bits & mask))).expect("a range");
            prop_assert_eq!(range.contains(Ipv4Addr::from_bits(other).into()), bits & mask == other & mask);
        }
    }
}
