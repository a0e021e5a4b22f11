//! What an image of an option ROM is good for (PCI Firmware 3.3, chapter 5; Plug and Play BIOS 1.0A, 3.2).

use crate::facts::boot::RomImage;

/// Code type of an image for UEFI.
const EFI_IMAGE: u8 = 3;
/// PCI base class of network controllers.
const NETWORK_CLASS: u32 = 0x02;

/// A ROM for a PC with a bootstrap entry vector and a network card's class: PXE, iPXE, Etherboot. QEMU's loaders of
/// kernels have such a vector as well, and no such class.
pub fn boots_as_pxe(image: &RomImage) -> bool {
    let can_boot = image.pnp.as_ref().is_some_and(|pnp| pnp.bev != 0);
    can_boot && image.code_type != Some(EFI_IMAGE) && is_network(image)
}

/// An image with a driver through which UEFI boots from the network.
pub fn boots_by_uefi(image: &RomImage) -> bool {
    image.code_type == Some(EFI_IMAGE) && is_network(image)
}

fn is_network(image: &RomImage) -> bool {
    let by_pnp = image.pnp.as_ref().map(|pnp| pnp.device_type >> 16);
    let by_pci = image.class.map(|class| class >> 16);
    by_pci == Some(NETWORK_CLASS) || (by_pci.is_none() && by_pnp == Some(NETWORK_CLASS))
}
