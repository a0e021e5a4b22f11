//! Whether a machine can boot from the network: a card, and a program of its own or of the firmware that boots through it.

use super::device::{functions_of, NETWORK_CLASS};
use super::{load_option, on_pci_alone, reason, Answer, FirmwareInterface};
use crate::facts::boot::{BootFacts, Device, OptionRom, RomImage, RomPlace};
use crate::facts::{Facts, PciFunction};
use crate::source;
use crate::verdict::words::Class;
use crate::verdict::{rom, Reason, Verdict};

/// A boot program that is there is a yes; an emulated card of a BIOS without one a no.
pub fn judge(
    facts: &Facts,
    boot: &BootFacts,
    verdict: &Verdict,
    interface: FirmwareInterface,
) -> Answer {
    let mut reasons = Vec::new();
    for rom in boot.option_roms() {
        reasons.extend(boots_network(rom, interface));
    }
    load_option::leading_to(Device::Network, facts, boot, &mut reasons);
    if !reasons.is_empty() {
        return Answer::yes(reasons);
    }
    let cards = functions_of(facts, &|function| function.class >> 16 == NETWORK_CLASS);
    if cards.is_empty() {
        return without_card(facts, boot, interface);
    }
    let emulated = verdict.class == Class::Hvm;
    let known = |card: &&PciFunction| {
        let mut roms = boot.option_roms();
        roms.any(|rom| rom.place == RomPlace::Function(card.address) || rom.is_for(card))
    };
    let all_known = boot.bios_roms.is_some() && cards.iter().all(known);
    if interface == FirmwareInterface::Bios && emulated && all_known {
        let means = "a BIOS boots through the program of a card's own";
        let none = |card: &&PciFunction| {
            let observed = format_args!("{} has no ROM that boots from the network", card.address);
            reason(&source::boot::option_rom::SOURCE, observed, means)
        };
        return Answer::no(cards.iter().map(none).collect());
    }
    let observed = format_args!("{} is a network card", cards[0].address);
    let means = "whether the firmware has a boot program for it could not be told";
    Answer::unknown(vec![reason(&source::pci::SOURCE, observed, means)])
}

/// No network card shows; one that was there for the firmware may have been unplugged since, and its ROM is left.
fn without_card(facts: &Facts, boot: &BootFacts, interface: FirmwareInterface) -> Answer {
    let xenbus = facts.xenbus.as_deref().unwrap_or_default();
    let unplugged = xenbus
        .iter()
        .any(|device| device.devtype.as_deref() == Some("vif"));
    let means = "nothing to boot through";
    if boot.bios_roms.is_some() && interface == FirmwareInterface::Bios {
        let observed =
            format_args!("neither a network card nor an option ROM that boots from the network");
        let source = &source::boot::option_rom::SOURCE;
        return Answer::no(vec![reason(source, observed, means)]);
    }
    if on_pci_alone(facts) && !unplugged {
        let observed = format_args!("no network card among the PCI functions");
        return Answer::no(vec![reason(&source::pci::SOURCE, observed, means)]);
    }
    Answer::unknown(Vec::new())
}

/// Whether a ROM holds a program that the firmware can boot the network with, as a reason.
fn boots_network(rom: &OptionRom, interface: FirmwareInterface) -> Option<Reason> {
    let fits = |image: &&RomImage| match interface {
        FirmwareInterface::Uefi => rom::boots_by_uefi(image),
        _ => rom::boots_as_pxe(image),
    };
    let image = rom.images.iter().find(fits)?;
    let pnp = image.pnp.as_ref();
    let product = pnp.and_then(|pnp| pnp.product.as_deref());
    let what = match (interface, product) {
        (FirmwareInterface::Uefi, _) => "an EFI driver for the network".to_owned(),
        (_, Some(product)) => format!("a boot entry (BEV), product \"{product}\""),
        (_, None) => "a boot entry (BEV) for the network".to_owned(),
    };
    Some(reason(
        &source::boot::option_rom::SOURCE,
        format_args!("{}: option ROM with {what}", rom.place),
        "a program that boots from the network",
    ))
}
