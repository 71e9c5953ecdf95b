//! Bindings: a secret is tied to the addresses that may use it. The one implementation, for every door.
//!
//! [`decide`] is the whole rule, a pure function of binding, address, policy and time. Around it: [`token`] (which
//! secret a request carries, and how it is kept), [`source`] (whose request it is), [`proxy_protocol`] and [`gateway`]
//! (what can be changed while running); [`keeper`] asks it for every use at a door, and [`doors`] are our own.
//! `crate::store::bindings` keeps bindings.

pub mod doors;
pub mod gateway;
pub mod keeper;
pub mod proxy_protocol;
pub mod source;
pub mod token;

use std::net::IpAddr;

use ipnet::{IpNet, Ipv6Net};
use serde::{Deserialize, Serialize};

use crate::clock::UnixMillis;

/// The most addresses of one binding. What needs more is a network, or `all`.
pub const ADDRESSES_MAX: usize = 64;

/// How many addresses a binding has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// One address or one network.
    Single,
    /// A list of addresses and networks.
    Multiple,
    /// Every address.
    All,
}

impl Mode {
    /// The name used in rows, settings and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Single => "single",
            Self::Multiple => "multiple",
            Self::All => "all",
        }
    }
}

/// What an installation makes of a use from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stance {
    /// Refuse it.
    Enforce,
    /// Let it pass, but log it and raise alerts.
    Observe,
    /// Add the address to the binding, until [`Policy::learn_until`]; after that, refuse.
    Learn,
}

/// The addresses of a binding. Nearly all have one, which then needs no memory of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    One(IpNet),
    Many(Box<[IpNet]>),
}

impl Addresses {
    /// All of them.
    pub fn as_slice(&self) -> &[IpNet] {
        match self {
            Self::One(net) => std::slice::from_ref(net),
            Self::Many(nets) => nets,
        }
    }
}

impl From<Vec<IpNet>> for Addresses {
    fn from(nets: Vec<IpNet>) -> Self {
        match nets.as_slice() {
            [net] => Self::One(*net),
            _ => Self::Many(nets.into()),
        }
    }
}

/// What a secret is tied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    pub mode: Mode,
    pub addresses: Addresses,
    /// Refused from everywhere, because a person said so.
    pub blocked: bool,
}

impl Binding {
    /// The binding that a first use makes.
    pub fn first_use(net: IpNet) -> Self {
        Self { mode: Mode::Single, addresses: Addresses::One(net), blocked: false }
    }

    /// What keeps a mode and a list of addresses from being a binding.
    ///
    /// # Errors
    /// The text says what is wrong.
    pub fn check(mode: Mode, addresses: &[IpNet]) -> Result<(), String> {
        match (mode, addresses.len()) {
            (Mode::Single, 1) | (Mode::Multiple, 1..=ADDRESSES_MAX) | (Mode::All, _) => Ok(()),
            (Mode::Single, _) => Err("`single` takes exactly one address or network".to_owned()),
            (Mode::Multiple, _) => Err(format!("`multiple` takes 1 to {ADDRESSES_MAX} addresses or networks")),
        }
    }

    fn covers(&self, address: IpAddr) -> bool {
        self.mode == Mode::All || self.addresses.as_slice().iter().any(|net| net.contains(&address))
    }
}

/// How an installation uses its bindings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    pub stance: Stance,
    /// When [`Stance::Learn`] becomes [`Stance::Enforce`].
    pub learn_until: UnixMillis,
    /// How much of an IPv6 address is bound: a provider gives a home a /64, and its devices change within it.
    pub ipv6_prefix: u8,
}

impl Policy {
    /// What a use from this address binds.
    pub fn net(&self, address: IpAddr) -> IpNet {
        match address.to_canonical() {
            IpAddr::V4(address) => IpNet::from(IpAddr::V4(address)),
            IpAddr::V6(address) => {
                let net = Ipv6Net::new(address, self.ipv6_prefix.min(128)).expect("a prefix of at most 128 bits");
                net.trunc().into()
            }
        }
    }
}

/// Why a use is intercepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reason {
    /// The binding does not cover the address.
    Elsewhere,
    /// The binding is blocked.
    Blocked,
}

impl Reason {
    /// The name used in rows, metrics and answers.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Elsewhere => "elsewhere",
            Self::Blocked => "blocked",
        }
    }
}

/// What becomes of a use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Allowed,
    /// Allowed, and this is to be added to the binding.
    Learn(IpNet),
    /// Allowed, and to be told.
    Observed(Reason),
    Refused(Reason),
}

/// Whether a secret may be used from an address. Blocked is blocked in every stance: a person decided that.
pub fn decide(binding: &Binding, address: IpAddr, policy: &Policy, now: UnixMillis) -> Verdict {
    let address = address.to_canonical();
    if binding.blocked {
        return Verdict::Refused(Reason::Blocked);
    }
    if binding.covers(address) {
        return Verdict::Allowed;
    }
    let learns = now < policy.learn_until && binding.addresses.as_slice().len() < ADDRESSES_MAX;
    match policy.stance {
        Stance::Observe => Verdict::Observed(Reason::Elsewhere),
        Stance::Learn if learns => Verdict::Learn(policy.net(address)),
        Stance::Learn | Stance::Enforce => Verdict::Refused(Reason::Elsewhere),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(stance: Stance) -> Policy {
        Policy { stance, learn_until: 1_000, ipv6_prefix: 64 }
    }

    fn binding(mode: Mode, nets: &[&str]) -> Binding {
        let nets: Vec<IpNet> = nets.iter().map(|net| net.parse().unwrap()).collect();
        Binding { mode, addresses: nets.into(), blocked: false }
    }

    fn verdict(binding: &Binding, address: &str, stance: Stance, now: UnixMillis) -> Verdict {
        decide(binding, address.parse().unwrap(), &policy(stance), now)
    }

    #[test]
    fn each_mode_allows_what_it_covers_and_nothing_else() {
        for (binding, address, allowed) in [
            (binding(Mode::Single, &["192.0.2.1/32"]), "192.0.2.1", true),
            (binding(Mode::Single, &["192.0.2.1/32"]), "::ffff:192.0.2.1", true),
            (binding(Mode::Single, &["192.0.2.1/32"]), "192.0.2.2", false),
            (binding(Mode::Single, &["192.0.2.0/24"]), "192.0.2.2", true),
            (binding(Mode::Multiple, &["192.0.2.1/32", "198.51.100.0/24"]), "198.51.100.7", true),
            (binding(Mode::Multiple, &["192.0.2.1/32", "198.51.100.0/24"]), "203.0.113.1", false),
            (binding(Mode::Single, &["2001:db8:1:2::/64"]), "2001:db8:1:2::99", true),
            (binding(Mode::Single, &["2001:db8:1:2::/64"]), "2001:db8:1:3::99", false),
            (binding(Mode::All, &[]), "203.0.113.1", true),
        ] {
            let expected = if allowed { Verdict::Allowed } else { Verdict::Refused(Reason::Elsewhere) };
            assert_eq!(verdict(&binding, address, Stance::Enforce, 0), expected, "{binding:?} {address}");
        }
    }

    #[test]
    fn learning_adds_addresses_until_its_date_and_then_refuses() {
        let binding = binding(Mode::Single, &["192.0.2.1/32"]);
        let learned = Verdict::Learn("203.0.113.1/32".parse().unwrap());
        assert_eq!(verdict(&binding, "203.0.113.1", Stance::Learn, 999), learned);
        assert_eq!(verdict(&binding, "203.0.113.1", Stance::Learn, 1_000), Verdict::Refused(Reason::Elsewhere));
    }

    #[test]
    fn a_binding_learns_only_so_many_addresses() {
        let nets: Vec<IpNet> = (0..64).map(|n| format!("192.0.2.{n}/32").parse().unwrap()).collect();
        let full = Binding { mode: Mode::Multiple, addresses: nets.into(), blocked: false };
        assert_eq!(verdict(&full, "203.0.113.1", Stance::Learn, 0), Verdict::Refused(Reason::Elsewhere));
    }

    #[test]
    fn observing_lets_pass_and_tells_but_blocked_is_blocked() {
        let mut binding = binding(Mode::All, &[]);
        binding.mode = Mode::Multiple;
        assert_eq!(verdict(&binding, "203.0.113.1", Stance::Observe, 0), Verdict::Observed(Reason::Elsewhere));
        binding.blocked = true;
        for stance in [Stance::Enforce, Stance::Observe, Stance::Learn] {
            assert_eq!(verdict(&binding, "203.0.113.1", stance, 0), Verdict::Refused(Reason::Blocked));
        }
    }

    #[test]
    fn ipv6_binds_by_its_prefix_and_ipv4_by_the_address() {
        let policy = policy(Stance::Enforce);
        assert_eq!(policy.net("2001:db8:1:2:3:4:5:6".parse().unwrap()).to_string(), "2001:db8:1:2::/64");
        assert_eq!(policy.net("::ffff:192.0.2.1".parse().unwrap()).to_string(), "192.0.2.1/32");
        let whole = Policy { ipv6_prefix: 128, ..policy };
        assert_eq!(whole.net("2001:db8::1".parse().unwrap()).to_string(), "2001:db8::1/128");
    }

    #[test]
    fn a_mode_takes_its_number_of_addresses() {
        let net: IpNet = "192.0.2.1/32".parse().unwrap();
        assert!(Binding::check(Mode::Single, &[net]).is_ok());
        assert!(Binding::check(Mode::Single, &[]).is_err());
        assert!(Binding::check(Mode::Single, &[net, net]).is_err());
        assert!(Binding::check(Mode::Multiple, &[]).is_err());
        assert!(Binding::check(Mode::Multiple, &[net; 65]).is_err());
        assert!(Binding::check(Mode::All, &[]).is_ok());
    }
}
