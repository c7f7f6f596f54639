"""The order of directories in sysfs, as running kernels list them."""

import os

from tests.support.require import require_path

from lkm.interfaces.compat.holders import in_sysfs_order

# What Linux 6.18 listed in /sys/devices and /sys/kernel.
DEVICES = [
    "software",
    "pnp0",
    "platform",
    "power",
    "uprobe",
    "pci0000:00",
    "system",
    "breakpoint",
    "virtual",
    "tracepoint",
    "LNXSYSTM:00",
    "faux",
    "msr",
]
KERNEL = [
    "warn_count",
    "notes",
    "hardlockup_count",
    "mm",
    "uevent_seqnum",
    "profiling",
    "btf",
    "vmcoreinfo",
    "cpu_byteorder",
    "software_nodes",
    "reboot",
    "tracing",
    "oops_count",
    "slab",
    "iommu_groups",
    "security",
    "irq",
    "fscaps",
    "rcu_normal",
    "debug",
    "softlockup_count",
    "rcu_stall_count",
    "rcu_expedited",
    "cgroup",
    "boot_params",
    "address_bits",
]


def test_the_order_is_the_kernels() -> None:
    assert in_sysfs_order(sorted(DEVICES)) == DEVICES
    assert in_sysfs_order(sorted(KERNEL)) == KERNEL


def test_the_order_is_that_of_this_kernel() -> None:
    path = require_path("/sys/module")
    names = os.listdir(path)  # noqa: PTH208  names are wanted, not paths
    assert in_sysfs_order(sorted(names)) == names


def test_any_name_has_a_place() -> None:
    names = ["", "\udcff", "é", "a" * 10000]
    assert sorted(in_sysfs_order(names)) == sorted(names)
