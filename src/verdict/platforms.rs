//! The clouds and products that machines run in, a row each. What a row names is where the machine was made and not who runs
//! it: a rented bare machine bears the same marks. The marks are those of cloud-init's tools/ds-identify and of the platforms'
//! own documentation.

use super::hypervisor::Compare::{Ends, Is, Starts};
use super::hypervisor::SmbiosField::{
    AssetTag, BiosVendor, BiosVersion, BoardName, Family, ProductName, ProductVersion, Serial,
    SystemVendor,
};
use super::hypervisor::{Compare, SmbiosField, SmbiosMark};

/// A cloud or a product.
pub struct Platform {
    /// The word in reports, never renamed: cloud-init's where it has one.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// Its strings in SMBIOS, any of which suffices.
    pub smbios: &'static [SmbiosMark],
    /// How the names of its serial ports on virtio begin; empty where it has none.
    pub virtio_port: &'static str,
    /// The line that virt-what prints of it before the hypervisor's.
    pub virt_what_first: &'static str,
    /// The line that virt-what prints of it after the hypervisor's.
    pub virt_what_last: &'static str,
}

const BLANK: Platform = Platform {
    name: "",
    title: "",
    smbios: &[],
    virtio_port: "",
    virt_what_first: "",
    virt_what_last: "",
};

/// Where a machine bears marks of two rows, the first counts.
pub static ALL: &[Platform] = &[
    Platform {
        virt_what_last: "aws",
        ..platform(
            "aws",
            "Amazon EC2",
            &[
                mark(SystemVendor, Is, "Amazon EC2"),
                mark(BiosVendor, Is, "Amazon EC2"),
                mark(BiosVersion, Ends, ".amazon"), // on Xen
                mark(ProductVersion, Ends, ".amazon"),
            ],
        )
    },
    Platform {
        virt_what_first: "google_cloud",
        ..platform(
            "gce",
            "Google Compute Engine",
            &[
                mark(ProductName, Is, "Google Compute Engine"),
                mark(Serial, Is, "GoogleCloud"),
            ],
        )
    },
    platform(
        "azure",
        "Microsoft Azure",
        &[mark(AssetTag, Is, "7783-7084-3265-9085-8269-3286-77")],
    ),
    platform(
        "oracle",
        "Oracle Cloud",
        &[mark(AssetTag, Is, "OracleCloud.com")],
    ),
    Platform {
        virt_what_first: "alibaba_cloud",
        ..platform(
            "aliyun",
            "Alibaba Cloud",
            &[
                mark(ProductName, Is, "Alibaba Cloud ECS"),
                mark(SystemVendor, Starts, "Alibaba"),
            ],
        )
    },
    platform("akamai", "Akamai", &[vendor("Akamai"), vendor("Linode")]),
    platform(
        "brightbox",
        "Brightbox",
        &[mark(Serial, Is, ".brightbox.com")],
    ),
    platform("cloudcix", "CloudCIX", &[mark(ProductName, Is, "CloudCIX")]),
    platform(
        "cloudsigma",
        "CloudSigma",
        &[mark(ProductName, Is, "CloudSigma")],
    ),
    platform(
        "cloudstack",
        "CloudStack",
        &[mark(ProductName, Starts, "CloudStack")],
    ),
    platform("digitalocean", "DigitalOcean", &[vendor("DigitalOcean")]),
    platform("e24cloud", "e24cloud", &[vendor("e24cloud")]),
    platform(
        "exoscale",
        "Exoscale",
        &[mark(ProductName, Starts, "Exoscale")],
    ),
    platform("hetzner", "Hetzner", &[vendor("Hetzner")]),
    platform(
        "huaweicloud",
        "Huawei Cloud",
        &[mark(AssetTag, Is, "HUAWEICLOUD")],
    ),
    platform(
        "ibmcloud",
        "IBM Cloud",
        &[mark(AssetTag, Is, "IBM SoftLayer")],
    ),
    platform("nwcs", "NWCS", &[vendor("NWCS")]),
    platform(
        "opentelekomcloud",
        "Open Telekom Cloud",
        &[mark(AssetTag, Is, "OpenTelekomCloud")],
    ),
    platform("outscale", "3DS Outscale", &[vendor("3DS Outscale")]),
    platform(
        "samsungcloud",
        "Samsung Cloud",
        &[mark(AssetTag, Is, "Samsung Cloud Platform")],
    ),
    platform(
        "sapcloud",
        "SAP Converged Cloud",
        &[mark(AssetTag, Is, "SAP CCloud VM")],
    ),
    platform("scaleway", "Scaleway", &[vendor("Scaleway")]),
    platform(
        "smartos",
        "SmartOS",
        &[mark(ProductName, Starts, "SmartDC")],
    ),
    platform("tilaa", "Tilaa", &[vendor("Tilaa")]),
    Platform {
        virt_what_last: "upcloud",
        ..platform("upcloud", "UpCloud", &[vendor("UpCloud")])
    },
    platform("vultr", "Vultr", &[vendor("Vultr")]),
    platform("zstack", "ZStack", &[mark(AssetTag, Ends, ".zstack.io")]),
    // The clouds above run these products.
    platform(
        "openstack",
        "OpenStack",
        &[
            mark(ProductName, Starts, "OpenStack"),
            mark(AssetTag, Is, "OpenStack Nova"),
            mark(AssetTag, Is, "OpenStack Compute"),
            vendor("OpenStack Foundation"),
        ],
    ),
    platform(
        "kubevirt",
        "KubeVirt",
        &[
            vendor("KubeVirt"),
            mark(Family, Is, "KubeVirt"),
            mark(ProductName, Is, "KubeVirt"),
        ],
    ),
    Platform {
        virt_what_first: "nutanix_ahv",
        ..platform("nutanix", "Nutanix AHV", &[mark(ProductName, Is, "AHV")])
    },
    Platform {
        virt_what_first: "ovirt",
        ..platform("ovirt", "oVirt", &[vendor("oVirt")])
    },
    Platform {
        virt_what_first: "rhev",
        ..platform(
            "rhev",
            "Red Hat Virtualization",
            &[
                mark(ProductName, Starts, "RHEV Hypervisor"),
                mark(Family, Is, "RHV"),
            ],
        )
    },
    Platform {
        virtio_port: "com.canonical.lxd",
        ..platform("lxd", "LXD", &[mark(BoardName, Is, "LXD")])
    },
    Platform {
        virtio_port: "org.linuxcontainers.",
        ..platform("incus", "Incus", &[mark(BoardName, Is, "Incus")])
    },
];

const fn platform(
    name: &'static str,
    title: &'static str,
    smbios: &'static [SmbiosMark],
) -> Platform {
    Platform {
        name,
        title,
        smbios,
        ..BLANK
    }
}

const fn mark(field: SmbiosField, how: Compare, text: &'static str) -> SmbiosMark {
    SmbiosMark { field, how, text }
}

const fn vendor(text: &'static str) -> SmbiosMark {
    mark(SystemVendor, Is, text)
}
