//! A thousand real machines, drawn from what their makers write into SMBIOS and ACPI, from the processors and devices that
//! they have, and from the oddities that real tables have been seen with: none of them is taken for a virtual machine. The
//! same machines are drawn in every run; a machine that fails is printed as a line of evidence (`tests/common/evidence.rs`).

#[path = "common/evidence.rs"]
mod evidence;

use std::collections::BTreeSet;
use xenprobe::render;

const MACHINES: usize = 1000;

/// Machines with CPUID of which it is not told that they are real. It may only become less: today they are those whose firmware
/// says by mistake that they are virtual.
const UNDECIDED: usize = 0;

/// What one maker writes.
struct Maker {
    /// Vendors of the system.
    vendors: &'static [&'static str],
    /// Vendors of the firmware; empty where it is the system's.
    bios: &'static [&'static str],
    products: &'static [&'static str],
    /// OEM id and OEM table id.
    acpi: &'static [&'static str],
}

const fn maker(
    vendors: &'static [&'static str],
    bios: &'static [&'static str],
    products: &'static [&'static str],
    acpi: &'static [&'static str],
) -> Maker {
    Maker {
        vendors,
        bios,
        products,
        acpi,
    }
}

const AMI: &[&str] = &[
    "American Megatrends Inc.",
    "American Megatrends International, LLC.",
];
const ALASKA: &[&str] = &["ALASKA/A M I", "ALASKA/A M I "];
const PHOENIX: &[&str] = &[
    "Phoenix Technologies LTD",
    "Phoenix Technologies, LTD",
    "Award Software International, Inc.",
];
const INSYDE: &[&str] = &["INSYDE Corp.", "Insyde"];

const MAKERS: &[Maker] = &[
    maker(
        &["Dell Inc.", "Dell Computer Corporation"],
        &[],
        &[
            "PowerEdge R740",
            "PowerEdge R650",
            "PowerEdge C6420",
            "OptiPlex 7050",
            "Latitude E7470",
            "Precision 3630 Tower",
            "XPS 13 9310",
            "Virtual Edge Platform 4600",
            "VEP-1445-N",
        ],
        &["DELL/PE_SC3", "DELL/CBX3", "DELL/PE_SC3H"],
    ),
    maker(
        &["HP", "HPE", "Hewlett-Packard", "Hewlett Packard Enterprise"],
        &["HP", "HPE", "Hewlett-Packard"],
        &[
            "ProLiant DL380 Gen9",
            "ProLiant DL360 Gen10",
            "ProLiant MicroServer",
            "HP EliteBook 840 G3",
            "HP Z440 Workstation",
            "HP t620 Quad Core TC",
            "Synergy 480 Gen10",
        ],
        &[
            "HP/ProLiant",
            "HPE/Server",
            "HPQOEM/SLIC-BPC",
            "HPQOEM/8027",
        ],
    ),
    maker(
        &["LENOVO", "Lenovo"],
        &[],
        &[
            "20L5CTO1WW",
            "F0AM",
            "F0AM",
            "10M7S00000",
            "ThinkSystem SR650 -[7X06CTO1WW]-",
            "30BFS07500",
            "81YQ",
        ],
        &[
            "LENOVO/TP-N1Q",
            "LENOVO/TC-M1A",
            "LENOVO/CB-01",
            "LENOVO/THINKSYS",
        ],
    ),
    maker(
        &["Supermicro", "Super Micro Computer, Inc."],
        AMI,
        &[
            "X10DRi",
            "SYS-6028R-TR",
            "Super Server",
            "X9SCL/X9SCM",
            "SYS-1029U-TR4",
            "AS -1114S-WTRT",
        ],
        &["SUPERM/SMCI--MB", "SUPERM/SUPERM"],
    ),
    maker(
        &[
            "ASUSTeK COMPUTER INC.",
            "ASUS",
            "ASUSTeK Computer INC.",
            "System manufacturer",
        ],
        AMI,
        &[
            "System Product Name",
            "All Series",
            "PRIME B350M-A",
            "ROG STRIX B550-F GAMING",
            "RS700-E9-RS4",
            "K55VD",
            "1015PE",
        ],
        &["ALASKA/A M I", "_ASUS_/Notebook", "A_M_I_/OEMFACP"],
    ),
    maker(
        &[
            "Gigabyte Technology Co., Ltd.",
            "GIGABYTE",
            "To be filled by O.E.M.",
        ],
        &[
            "American Megatrends Inc.",
            "Award Software International, Inc.",
        ],
        &[
            "B450M DS3H",
            "Z390 AORUS PRO",
            "R282-Z93-00",
            "GA-MA78GM-S2H",
            "P35-DS3L",
            "To be filled by O.E.M.",
        ],
        &["GBT/GBTUACPI", "ALASKA/A M I"],
    ),
    maker(
        &[
            "MSI",
            "Micro-Star International Co., Ltd.",
            "MICRO-STAR INTERNATIONAL CO.,LTD",
        ],
        AMI,
        &["MS-7A34", "MS-7B98", "GE62 6QD", "MS-7392"],
        &["ALASKA/A M I", "MSI_NB/MEGABOOK", "7392MS/A7392100"],
    ),
    maker(
        &["ASRock", "To Be Filled By O.E.M.", "ASRockRack"],
        AMI,
        &[
            "To Be Filled By O.E.M.",
            "X570M Pro4",
            "C2750D4I",
            "EPYCD8-2T",
        ],
        ALASKA,
    ),
    maker(
        &[
            "Intel Corporation",
            "Intel(R) Client Systems",
            "Intel Corp.",
        ],
        &["Intel Corp.", "Intel Corporation"],
        &[
            "S2600WTT",
            "NUC8i7BEH",
            "S5520HC",
            "D945GCLF2",
            "440BX Desktop Reference Platform",
        ],
        &[
            "INTEL/S2600WT",
            "INTEL/NUC8i7BE",
            "INTEL/440BX",
            "INTEL/D945GC",
        ],
    ),
    maker(
        &["Apple Inc.", "Apple Computer, Inc."],
        &["Apple Inc."],
        &[
            "MacBookPro11,3",
            "Macmini6,2",
            "iMac19,1",
            "MacPro6,1",
            "Xserve3,1",
        ],
        &["APPLE/MacBook", "APPLE/Apple00", "APPLE/Mac Pro"],
    ),
    maker(
        &["Microsoft Corporation"],
        &[],
        &[
            "Surface Pro 7",
            "Surface Laptop 3",
            "Surface Book 2",
            "C2030",
            "Surface Studio",
        ],
        &["MSFT/MSFT", "OEMC/OEMCFACP"],
    ),
    maker(
        &[
            "Oracle Corporation",
            "Sun Microsystems",
            "Sun Microsystems, Inc.",
            "SUN MICROSYSTEMS",
            "Oracle",
        ],
        AMI,
        &[
            "SUN FIRE X3-2L",
            "ORACLE SERVER X5-2",
            "ORACLE SERVER X7-2c",
            "Sun Fire X4150",
            "SUN BLADE X6270 M2 SERVER MODULE",
            "Ultra 24",
        ],
        &["SUN/Xxx70", "ORACLE/X5-2", "SUN/X4150"],
    ),
    maker(
        &[
            "FUJITSU",
            "FUJITSU SIEMENS",
            "FUJITSU CLIENT COMPUTING LIMITED",
        ],
        &[
            "FUJITSU // American Megatrends Inc.",
            "FUJITSU // Phoenix Technologies Ltd.",
        ],
        &[
            "PRIMERGY RX2540 M1",
            "ESPRIMO P920",
            "LIFEBOOK E754",
            "CELSIUS W530",
        ],
        &["FUJ/PC", "FTS/D3427-A1", "FSC/D2942"],
    ),
    maker(
        &["Cisco Systems Inc", "Cisco Systems, Inc."],
        &[],
        &[
            "UCSB-B200-M5",
            "UCSC-C220-M4S",
            "N20-B6625-1",
            "UCS-E160S-M3/K9",
        ],
        &["Cisco0/CiscoUCS"],
    ),
    maker(
        &[
            "Huawei",
            "HUAWEI",
            "Huawei Technologies Co., Ltd.",
            "xFusion",
        ],
        &["INSYDE Corp.", "Huawei Corp.", "HUAWEI"],
        &["RH2288H V3", "2288H V5", "MateBook X Pro", "Tecal RH2285"],
        &["HUAWEI/PURLEY", "HISI/HIP08"],
    ),
    maker(
        &[
            "Inspur",
            "inspur",
            "Quanta Cloud Technology Inc.",
            "QCT",
            "Wiwynn",
            "Foxconn",
            "Sugon",
            "ZTE",
        ],
        AMI,
        &[
            "NF5280M5",
            "SA5212M4",
            "D52B-1U",
            "S2B-MB (dual 10G LoM)",
            "SV7220G2S-V",
            "I620-G20",
            "R5300 G4",
        ],
        ALASKA,
    ),
    maker(
        &["IBM"],
        &["IBM Corp.", "IBM"],
        &[
            "4810-340",
            "4810-340",
            "System x3650 M4: -[7915AC1]-",
            "eserver xSeries 346 -[8840]-",
            "BladeCenter HS22 -[7870AC1]-",
            "2672JBU",
        ],
        &["IBM/SERONYXP", "IBM/SERVER", "IBM/TP-1R"],
    ),
    maker(
        &[
            "Panasonic Corporation",
            "Matsushita Electric Industrial Co.,Ltd.",
        ],
        PHOENIX,
        &["CF-31SBM31M2", "CF-20-2", "FZ-G1AABZCTM"],
        &["MATBIO/CF31-4", "MATBIO/CF20-1"],
    ),
    maker(
        &["TOSHIBA", "Dynabook Inc."],
        &["TOSHIBA", "INSYDE"],
        &["TECRA Z40-C", "Satellite L500", "PORTEGE X30-D"],
        &["TOSHIB/A0022", "TOSINV/TOSINV00"],
    ),
    maker(
        &["SAMSUNG ELECTRONICS CO., LTD."],
        PHOENIX,
        &[
            "N150/N210/N220",
            "900X3C/900X3D/900X4C",
            "Galaxy Book Flex",
            "300E4C/300E5C/300E7C",
        ],
        &["SECCSD/LH43STAR", "SECCSD/APPLETON"],
    ),
    maker(
        &["Acer", "Acer, inc.", "Gateway", "Packard Bell"],
        INSYDE,
        &[
            "Aspire V5-573G",
            "Aspire one",
            "Veriton M4630G",
            "EasyNote TK85",
        ],
        &["ACRSYS/ACRPRDCT", "APPACR/ACRPRDCT"],
    ),
    maker(
        &["Google", "GOOGLE", "HP"],
        &["coreboot", "Google"],
        &["Eve", "Link", "Peppy", "Lulu", "Chell", "Kohaku"],
        &["COREv4/COREBOOT", "COREBO/COREBOOT", "GOOGLE/GOOGLE"],
    ),
    maker(
        &[
            "System76",
            "System76, Inc.",
            "Purism",
            "Star Labs",
            "TUXEDO",
            "Notebook",
            "CLEVO",
        ],
        &["coreboot", "American Megatrends Inc.", "INSYDE Corp."],
        &[
            "Lemur Pro",
            "Oryx Pro",
            "Librem 15 v3",
            "StarBook",
            "W65_W67RZ",
            "P7xxDM(-G)",
        ],
        &["COREv4/COREBOOT", "ALASKA/A M I", "INSYDE/CLEVO"],
    ),
    maker(
        &["Framework"],
        INSYDE,
        &["Laptop", "Laptop 13 (AMD Ryzen 7040Series)", "Laptop 16"],
        &["INSYDE/FRMW"],
    ),
    maker(
        &[
            "PC Engines",
            "Protectli",
            "Deciso B.V.",
            "Netgate",
            "Soekris",
            "Silicom",
        ],
        &["coreboot", "SeaBIOS", "American Megatrends Inc."],
        &[
            "apu2",
            "APU",
            "FW4B",
            "Netboard A10",
            "Minnowboard Turbot D0/D1 PLATFORM",
            "SG-5100",
        ],
        &["COREv4/COREBOOT", "CORE/COREBOOT", "INTEL/MNWTURB"],
    ),
    maker(
        &[
            "QNAP",
            "Synology Inc.",
            "Insyde",
            "Default string",
            "Western Digital",
            "ASUSTOR Inc.",
        ],
        &[
            "American Megatrends Inc.",
            "INSYDE Corp.",
            "Phoenix Technologies LTD",
        ],
        &[
            "TS-453A",
            "DS918+",
            "RS3617xs+",
            "Default string",
            "WD My Cloud PR4100",
            "AS6204T",
        ],
        &["ALASKA/A M I", "INSYDE/BAYTRAIL"],
    ),
    maker(
        &[
            "To Be Filled By O.E.M.",
            "Default string",
            "System manufacturer",
            "OEM",
            "Unknown",
            "Not Applicable",
            "empty",
            "INVALID",
            " ",
            "XXXXXX",
            "O.E.M",
            "Standard",
        ],
        &[
            "American Megatrends Inc.",
            "Phoenix Technologies, LTD",
            "Award Software International, Inc.",
        ],
        &[
            "To Be Filled By O.E.M.",
            "Default string",
            "System Product Name",
            "Product Name",
            "Standard PC",
            "PC",
            "",
            "x86 Platform",
            "Computer",
        ],
        &[
            "ALASKA/A M I",
            "PTLTD/",
            "AWARD/AWRDACPI",
            "A M I/OEMFACP",
            "VIA694/AWRDACPI",
            "Nvidia/AWRDACPI",
        ],
    ),
    // Names that look like a hypervisor's and are not.
    maker(
        &[
            "XENON",
            "Xenarc Technologies",
            "ATEN International (KVM over IP)",
            "Raritan KVM Division",
            "Parallel Systems",
            "Virtual Instruments",
            "VM Systems AG",
            "Hypertec",
            "Oracle America, Inc.",
            "Boxx Technologies",
            "KVM Solutions Ltd.",
        ],
        &[
            "American Megatrends Inc.",
            "Xenon Systems Pty",
            "Phoenix Technologies LTD",
        ],
        &[
            "RackMax DT2",
            "Xen Garden Kiosk",
            "CN8000 KVM",
            "Desktop Virtual Terminal",
            "The Virtual Machine Room",
            "Not QEMU",
            "ex-VMware vSAN Ready Node",
            "HyperBox",
            "Zen3 Workstation",
        ],
        &[
            "ALASKA/A M I",
            "XENON/XENON",
            "KVMSOL/KVMBOARD",
            "HYPERV/BOARD",
        ],
    ),
    // Bare machines of clouds.
    maker(
        &["Scaleway", "Hetzner", "Vultr", "Packet", "OVH"],
        AMI,
        &["SC-X86-1", "EX42", "Bare Metal", "c3.small.x86", "Rise-1"],
        ALASKA,
    ),
];

/// Vendor of leaf 0, name, and what a leaf out of range reads.
const PROCESSORS: &[&str] = &[
    "vendor:GenuineIntel; brand:Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz; leaf:0x40000000=0x834,0x1068,0x64,0",
    "vendor:GenuineIntel; brand:Intel(R) Core(TM) i7-8650U CPU @ 1.90GHz; leaf:0x40000000=0x76c,0x1068,0x64,0",
    "vendor:GenuineIntel; brand:Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz; leaf:0x40000000=0,0,0,0",
    "vendor:GenuineIntel; brand:Intel(R) Core(TM)2 Duo CPU     P8600  @ 2.40GHz; leaf:0x40000000=0x7280202,0,0,0x503",
    "vendor:GenuineIntel; brand:Intel(R) Pentium(R) 4 CPU 3.00GHz; leaf:0x40000000=0x40,0x40,0,0",
    "vendor:GenuineIntel; brand:Intel(R) Xeon(R) Platinum 8488C; leaf:0x40000000=0x1,0x2,0x100,0x1",
    "vendor:GenuineIntel; brand:Genuine Intel(R) CPU 0000 @ 2.00GHz",
    "vendor:AuthenticAMD; brand:AMD EPYC 7302P 16-Core Processor; leaf:0x40000000=0,0,0,0",
    "vendor:AuthenticAMD; brand:AMD Ryzen 7 PRO 4750U with Radeon Graphics; leaf:0x40000000=0,0,0,0",
    "vendor:AuthenticAMD; brand:AMD GX-412TC SOC; leaf:0x40000000=0,0,0,0",
    "vendor:AuthenticAMD; brand:AMD Opteron(tm) Processor 6172",
    "vendor:AuthenticAMD; brand:AMD Eng Sample: 100-000000894-04_N",
    "vendor:HygonGenuine; brand:Hygon C86 7185 32-core Processor; leaf:0x40000000=0,0,0,0",
    "vendor:CentaurHauls; brand:VIA Nano processor U2250@1.6+GHz",
    "vendor:  Shanghai  ; brand:ZHAOXIN KaiXian KX-6640MA@2.2+GHz",
    "vendor:GenuineTMx86; brand:Transmeta(tm) Crusoe(tm) Processor TM5800",
    "vendor:Geode by NSC; brand:Geode(TM) Integrated Processor by National Semi",
    "vendor:Vortex86 SoC; brand:Vortex86DX3",
    "vendor:Genuine  RDC; brand:RDC R3210",
    "vendor:E2K MACHINE; brand:E8C",
];

/// Host bridges: among them the real boards whose chips emulators copy.
const HOST_BRIDGES: &[&str] = &[
    "8086:1237+0600@00:00.0",
    "8086:1237/8086:1237+0600@00:00.0",
    "8086:7190+0600@00:00.0",
    "8086:29c0/1458:5000+0600@00:00.0",
    "8086:29c0/1043:8276+0600@00:00.0",
    "8086:2020+0600@00:00.0",
    "8086:3e30/1043:8694+0600@00:00.0",
    "8086:9b61/17aa:22be+0600@00:00.0",
    "8086:0a04/1028:05db+0600@00:00.0",
    "8086:09a2/1028:0000+0600@00:00.0",
    "1022:1480/15d9:1b1d+0600@00:00.0",
    "1022:1450/1022:1450+0600@00:00.0",
    "1022:1566+0600@00:00.0",
    "1002:5a14/1002:5a14+0600@00:00.0",
    "1106:0353+0600@00:00.0",
    "10de:0a82+0500@00:00.0",
];

/// Devices that real machines have: such as emulators copy, parts of cards that were made for guests, virtio in hardware.
const DEVICES: &[&str] = &[
    "102b:0522/15d9:0605+0300",
    "102b:0534/1028:04de+0300",
    "102b:0536/1028:0600+0300",
    "102b:0538/103c:00e4+0300",
    "1a03:2000/1043:86f6+0300",
    "1a03:2000/1a03:2000+0300",
    "1013:00b8+0300",
    "1002:515e/1734:1073+0300",
    "10de:1db4/10de:1214+0302",
    "10ec:8139/10ec:8139+0200",
    "8086:100e/8086:001e+0200",
    "8086:10d3/8086:a01f+0200",
    "1022:2000/103c:104c+0200",
    "1274:1371+0401",
    "8086:2415/8086:0000+0401",
    "8086:7010+0101",
    "8086:7110+0601",
    "8086:7113+0680",
    "8086:2922/8086:2922+0106",
    "1000:0030/1028:1f0e+0100",
    "1000:0012+0100",
    "8086:1521/8086:0001+0200",
    "8086:1520/8086:0001+0200",
    "8086:154c/8086:0000+0200",
    "8086:10ed/8086:000c+0200",
    "15b3:1017/15b3:0020+0200",
    "15b3:1018/15b3:0020+0200",
    "15b3:101e/15b3:0083+0200",
    "15b3:a2d6/15b3:0035+0200",
    // Virtio in hardware: SmartNICs and accelerators.
    "1af4:1000/1af4:0001+0200",
    "1af4:1041/1af4:1041+0200",
    "1af4:1041/15b3:0000+0200",
    "1af4:1042/1af4:1042+0100",
    "1af4:1042/15b3:0000+0180",
    "144d:a822/1028:2135+0108",
    "1b21:2142+0c03",
    "1b4b:9235+0106",
    "14e4:165f/1028:1f5b+0200",
    "1d0f:ec20/1d0f:ec20+0200",
    "1d0f:8061/1d0f:8061+0108",
    "1ae0:0042/1ae0:0058+0200",
];

/// What a running system shows that has no hypervisor below it, but may run one.
const SYSTEM: &[&str] = &[
    "dir:/sys/hypervisor",
    "file:/proc/modules=kvm_intel 1 0 - Live 0x0\\nkvm 1 1 kvm_intel, Live 0x0",
    "file:/proc/modules=vboxdrv 1 0 - Live 0x0",
    "file:/proc/modules=vhost_net 1 0 - Live 0x0\\nvirtio 1 0 - Live 0x0",
    "dir:/sys/devices/virtual/misc/kvm",
    "dir:/sys/class/virtio-ports",
    "file:/sys/devices/system/clocksource/clocksource0/current_clocksource=tsc",
    "file:/sys/devices/system/clocksource/clocksource0/current_clocksource=hpet",
    "file:/proc/sys/kernel/osrelease=6.1.0-18-amd64",
    "file:/proc/1/cgroup=0::/init.scope",
    "file:/proc/1/environ=HOME=/\\0TERM=linux\\0",
    "file:/proc/self/cgroup=0::/user.slice/user-0.slice/session-1.scope",
    "file:/proc/self/status=Name:\\txenprobe\\nTracerPid:\\t0\\n",
    "dir:/proc/vz; dir:/proc/bc",
    "file:/proc/cmdline=root=/dev/xvda1 console=hvc0 quiet",
    "file:/proc/cmdline=BOOT_IMAGE=/vmlinuz xen.foo=bar virtio kvm-intel.nested=1",
];

/// Whole machines without CPUID: boards by their device tree, servers by their firmware.
const ARM: &[&str] = &[
    "dt:compatible=raspberrypi,4-model-b|brcm,bcm2711; dt:model=Raspberry Pi 4 Model B Rev 1.4",
    "dt:compatible=raspberrypi,3-model-b|brcm,bcm2837; dt:model=Raspberry Pi 3 Model B Rev 1.2",
    "dt:compatible=raspberrypi,5-model-b|brcm,bcm2712; dt:model=Raspberry Pi 5 Model B Rev 1.0",
    "dt:compatible=nvidia,p3737-0000+p3701-0000|nvidia,tegra234; dt:model=Jetson AGX Orin",
    "dt:compatible=pine64,rockpro64-v2.1|rockchip,rk3399; dt:model=Pine64 RockPro64 v2.1",
    "dt:compatible=apple,j274|apple,t8103|apple,arm-platform; dt:model=Apple Mac mini (M1, 2020)",
    "dt:compatible=globalscale,espressobin|marvell,armada3720; dt:model=Globalscale Marvell ESPRESSOBin Board",
    "dt:compatible=qcom,sdm845-mtp|qcom,sdm845; dt:firmware/qcom,scm=qcom; dt:model=Qualcomm SDM845 MTP",
    "smbios:0.vendor=EDK II; smbios:1.vendor=GIGABYTE; smbios:1.product=R272-P30-JG; acpi:FACP=ALASKA/A M I ",
    "smbios:0.vendor=Ampere(R); smbios:1.vendor=WIWYNN; smbios:1.product=Mt.Jade Motherboard; acpi:FACP=Ampere/Altra",
    "smbios:0.vendor=Huawei Corp.; smbios:1.vendor=Huawei; smbios:1.product=TaiShan 2280 V2; acpi:FACP=HISI/HIP08",
    "smbios:0.vendor=American Megatrends Inc.; smbios:1.vendor=Cavium Inc.; smbios:1.product=Saber; acpi:FACP=CAVIUM/THUNDERX",
    "smbios:0.vendor=LENOVO; smbios:1.vendor=LENOVO; smbios:1.product=21BX000WUS; acpi:FACP=LENOVO/TC-N3H",
    "smbios:0.vendor=Microsoft Corporation; smbios:1.vendor=Microsoft Corporation; smbios:1.product=Surface Pro X; acpi:FACP=QCOM/SDM8180",
    "smbios:id-only; smbios:0.vendor=Amazon EC2; smbios:1.vendor=Amazon EC2; smbios:1.product=c7g.metal",
    "smbios:vm=0; smbios:0.vendor=Amazon EC2; smbios:1.vendor=Amazon EC2; smbios:1.product=m6g.metal",
];

/// A generator of its own, xorshift: the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, count: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % count as u64) as usize
    }

    fn of<'a>(&mut self, all: &[&'a str]) -> &'a str {
        all[self.below(all.len())]
    }

    /// True once in `count` times.
    fn once_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }
}

fn draw(random: &mut Random) -> String {
    if random.once_in(12) {
        let devices = (0..random.below(3)).map(|_| format!("; pci:{}", random.of(DEVICES)));
        let devices: String = devices.collect();
        return format!("arch:aarch64; {}{devices}", random.of(ARM));
    }
    let mut items = Vec::new();
    // A capture may lack CPUID.
    if !random.once_in(20) {
        items.push(random.of(PROCESSORS).to_owned());
        items.push("bit31:0".to_owned());
    }
    let maker = &MAKERS[random.below(MAKERS.len())];
    if !random.once_in(40) {
        items.extend(strings(random, maker));
    }
    if !random.once_in(20) {
        let [first, second] = [random.of(maker.acpi), random.of(maker.acpi)];
        items.push(format!("acpi:FACP={first}"));
        items.push(format!("acpi:DSDT={second}"));
    }
    items.push(format!("pci:{}", random.of(HOST_BRIDGES)));
    for _ in 0..random.below(7) {
        items.push(format!("pci:{}", random.of(DEVICES)));
    }
    // A file or directory once: its second would be another one's first.
    let mut seen = BTreeSet::new();
    for _ in 0..random.below(4) {
        let item = random.of(SYSTEM);
        if seen.insert(item.split('=').next().unwrap()) {
            items.push(item.to_owned());
        }
    }
    items.join("; ")
}

/// Strings of SMBIOS, with the oddities of real tables.
fn strings(random: &mut Random, maker: &Maker) -> Vec<String> {
    let vendor = random.of(maker.vendors);
    let bios = match maker.bios {
        [] => vendor,
        all => random.of(all),
    };
    let junk = [
        "Default string",
        "To Be Filled By O.E.M.",
        "1.0",
        "Not Specified",
        "System Version",
        "0123456789",
        "None",
    ];
    let mut items = vec![
        format!("smbios:0.vendor={bios}"),
        format!(
            "smbios:0.version={}",
            random.of(&[
                "2.8.1",
                "P1.20",
                "A07",
                "Xen-1.2",
                "1.0.amd",
                "F.15",
                "4.11",
                "MBP114.88Z"
            ])
        ),
        format!("smbios:1.vendor={vendor}"),
        format!("smbios:1.product={}", random.of(maker.products)),
        format!("smbios:1.version={}", random.of(&junk)),
        format!(
            "smbios:1.serial={}",
            random.of(&[
                "To be filled by O.E.M.",
                "VMR0123456",
                "CZJ1234567",
                "System Serial Number",
                "EC2019-0042",
                "GC-957EDC"
            ])
        ),
        format!(
            "smbios:1.uuid={}",
            random.of(&[
                "4c4c4544-0042-3510-8052-c4c04f4a5931",
                "03000200-0400-0500-0006-000700080009",
                "00020003-0004-0005-0006-000700080009",
                "e2c00000-1111-2222-3333-444455556666"
            ])
        ),
        format!(
            "smbios:1.family={}",
            random.of(&[
                "PowerEdge",
                "ThinkPad",
                "Desktop",
                "Default string",
                "Server",
                "Red Hat Enterprise Linux",
                "Workstation"
            ])
        ),
    ];
    if !random.once_in(5) {
        let board = random.of(&[
            "same",
            "Oracle Corporation",
            "Intel Corporation",
            "Default string",
            "Microsoft Corporation",
            "Google",
        ]);
        let board = if board == "same" { vendor } else { board };
        items.push(format!("smbios:2.vendor={board}"));
        items.push(format!(
            "smbios:2.product={}",
            random.of(&[
                "0H3K7P",
                "X10DRi",
                "440BX Desktop Reference Platform",
                "Default string",
                "ASSY,MOTHERBOARD,2U",
                "Board"
            ])
        ));
    }
    items.push(format!(
        "smbios:3.vendor={}",
        random.of(&[
            "No Enclosure",
            "Default string",
            "Dell Inc.",
            "HP",
            "Red Hat",
            "Chassis Manufacture"
        ])
    ));
    items.push(format!(
        "smbios:3.asset={}",
        random.of(&[
            "No Asset Tag",
            "Default string",
            "KVM-4711",
            "Asset-1234567890",
            "Xen rack 7",
            ""
        ])
    ));
    if random.once_in(15) {
        items.push(format!(
            "smbios:0b.vendor={}",
            random.of(&["Intel Corp.", "LSI", "American Megatrends Inc."])
        ));
    }
    if random.once_in(15) {
        items.push(format!(
            "smbios:1b.vendor={}",
            random.of(&["Intel Corporation", "OEM", "Quanta"])
        ));
    }
    // Two makers set it on real machines: Lenovo's A740 (F0AM) and IBM's 4810.
    let is_odd = items
        .iter()
        .any(|item| item.ends_with("=F0AM") || item.contains("=4810-"));
    items.push(format!("smbios:vm={}", u8::from(is_odd)));
    // Who is not root sees the kernel's copies.
    if random.once_in(4) {
        items.push("smbios:id-only".to_owned());
    }
    items
}

#[test]
fn a_thousand_real_machines_are_no_guests() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut lines = BTreeSet::new();
    while lines.len() < MACHINES {
        lines.insert(draw(&mut random));
    }
    let mut guests = Vec::new();
    let mut undecided = Vec::new();
    for line in &lines {
        let report = evidence::report(line);
        let class = report.verdict.class.name();
        let systemd = render::systemd::render(&report);
        let has_cpuid = line.contains("bit31:0");
        match class {
            "bare-metal" if systemd == "none\n" => {}
            "unknown" if systemd == "none\n" && has_cpuid => undecided.push(line),
            "unknown" if systemd == "none\n" => {}
            _ => guests.push(format!(
                "{}, {}: {line}",
                report.verdict.kind.name(),
                systemd.trim()
            )),
        }
    }
    let some = |all: &[String]| {
        all.iter()
            .take(20)
            .cloned()
            .collect::<Vec<String>>()
            .join("\n")
    };
    assert!(
        guests.is_empty(),
        "{} guests:\n{}",
        guests.len(),
        some(&guests)
    );
    let lines: Vec<String> = undecided.into_iter().cloned().collect();
    assert_eq!(lines.len(), UNDECIDED, "{}", some(&lines));
}
