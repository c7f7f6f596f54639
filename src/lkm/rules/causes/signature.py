"""Causes that lie in signatures, lockdown, and the permission to load (kernel/module/signing.c, security/lockdown)."""

import errno

from lkm.rules.causes.rule import CauseRule

__all__ = ["DISABLED", "SIGNATURE"]

_REJECTED = (errno.EKEYREJECTED,)
_ENFORCED = (errno.EKEYREJECTED, errno.ENOKEY)  # the latter up to 4.x
_SIGN = (
    "lkm keys new ./MOK",
    "lkm sign --key MOK.key --certificate MOK.der {file}",
    "sudo lkm mok enrol MOK.der",
    "sudo reboot",
)
_SIGN_ANEW = tuple(step.replace(" {file}", " --replace {file}") for step in _SIGN)
_ENROL = ("lkm verify {file}", "sudo lkm mok enrol CERTIFICATE.der", "sudo reboot")
_STATE = "lkm lockdown"

DISABLED = (
    CauseRule(
        "modules-disabled",
        "{kernel} loads no modules until it boots again: somebody has set the sysctl kernel.modules_disabled",
        "kernel/module/main.c may_init_module",
        errnos=(errno.EPERM,),
        stages=("permission",),
        facts=("modules disabled",),
        remedy=("sysctl kernel.modules_disabled", "grep -rn modules_disabled /etc/sysctl.conf /etc/sysctl.d"),
    ),
    CauseRule(
        "modules-disabled",
        "{kernel} loads no modules, because its command line says nomodule: take that out there and boot again",
        "kernel/module/main.c may_init_module",
        errnos=(errno.EPERM,),
        stages=("permission",),
        facts=("nomodule",),
        remedy=("cat /proc/cmdline",),
    ),
)
"""A kernel that loads no modules at all."""

SIGNATURE = (
    CauseRule(
        "forced-unsigned",
        "{module} is loaded by force, and so its signature does not count, while {kernel} loads only modules that are"
        " signed by a key that it trusts: build it for this kernel, and load it without force",
        "kernel/module/signing.c module_sig_check, mangled_module",
        lines=(
            "Loading of unsigned module is rejected",
            "Lockdown: {who}: unsigned module loading is restricted",
        ),
        errnos=(errno.EPERM, *_ENFORCED),
        facts=("forced",),
        remedy=("lkm load {subject}",),
    ),
    CauseRule(
        "unsigned-enforced",
        "{module} carries no signature (never signed, or lost to strip or a later change), and {kernel} loads only"
        " modules that are signed by a key that it trusts: {enforcer}",
        "kernel/module/signing.c module_sig_check",
        lines=("Loading of unsigned module is rejected",),
        errnos=_ENFORCED,
        remedy=_SIGN,
    ),
    CauseRule(
        "unavailable-key",
        "{module} is signed by a key that {kernel} does not trust, and {kernel} loads only modules that are signed by"
        " one that it trusts: {enforcer}; enrol the signer's certificate, or sign with a trusted key",
        "kernel/module/signing.c module_sig_check",
        lines=(
            "Loading of module with unavailable key is rejected",
            "Request for unknown module key '{key*}' err",
            "PKCS#7 signature not signed with a trusted key",
        ),
        errnos=_ENFORCED,
        remedy=_ENROL,
    ),
    CauseRule(
        "unsupported-signature",
        "{module} is signed in a way that {kernel} does not understand (its digest or key algorithm, or no PKCS#7), and"
        " it loads only modules that are signed by a key that it trusts: {enforcer}",
        "kernel/module/signing.c module_sig_check",
        lines=("Loading of module with unsupported crypto is rejected",),
        errnos=_ENFORCED,
        remedy=("lkm verify {file}", *_SIGN_ANEW),
    ),
    CauseRule(
        "signed-attributes",
        "the signature of {module} has signed attributes, which a module's must not have: it was made by another tool"
        " than sign-file, or without its option -noattr",
        "crypto/asymmetric_keys/pkcs7_verify.c pkcs7_verify",
        lines=("PKCS7: Invalid module sig (has authattrs)", "PKCS7: Invalid module sig (not pkcs7-data)"),
        errnos=_REJECTED,
        remedy=_SIGN_ANEW,
    ),
    CauseRule(
        "revoked",
        "{module} itself is on the list of revoked modules (its hash, {hash}): the owner of this machine's keys has"
        " withdrawn it",
        "kernel/module/signing.c mod_is_hash_blacklisted (Debian)",
        lines=("Module hash {hash} is blacklisted",),
        errnos=_REJECTED,
        remedy=("sudo lkm keys show .blacklist",),
    ),
    CauseRule(
        "bad-signature",
        "{module} was changed after it was signed: its signature, by a key that {kernel} trusts, does not fit its"
        " contents; or that key is revoked",
        "crypto/asymmetric_keys/pkcs7_verify.c pkcs7_verify",
        errnos=_REJECTED,
        stages=("signature",),
        remedy=("lkm verify {file}", *_SIGN_ANEW),
    ),
    CauseRule(
        "algorithm-missing",
        "the signature of {module} holds a certificate of a kind that {kernel} was built without: sign it again, with"
        " no certificates inside, as lkm sign does",
        "crypto/asymmetric_keys/public_key.c public_key_verify_signature",
        errnos=(errno.ENOENT,),
        stages=("signature",),
        remedy=_SIGN_ANEW,
    ),
    CauseRule(
        "malformed-signature",
        "the signature at the end of {file} is damaged, or made for something else: install or sign the module again",
        "kernel/module_signature.c mod_check_sig, crypto/asymmetric_keys/pkcs7_parser.c",
        lines=(
            "module: PKCS#7 signature info has unexpected non-zero params",
            "PKCS#7 signature with non-detached data",
            "PKCS7: Data already supplied",
        ),
        errnos=(errno.EBADMSG,),
        remedy=("tail -c 28 {file}", *_SIGN_ANEW),
    ),
    CauseRule(
        "malformed-signature",
        "the signature at the end of {file} is damaged: the file was changed or cut after signing; install or sign the"
        " module again",
        "kernel/module/signing.c mod_verify_sig",
        errnos=(errno.EBADMSG, errno.EINVAL, errno.ENOPKG, errno.ELIBBAD, errno.EFBIG),
        stages=("signature",),
        remedy=("tail -c 28 {file}", *_SIGN_ANEW),
    ),
    CauseRule(
        "long-signature",
        "the signature at the end of {file} is longer than the 65,535 bytes that {kernel} reads: sign it again, with no"
        " certificates inside, as lkm sign does",
        "lib/asn1_decoder.c asn1_ber_decoder",
        errnos=(errno.EMSGSIZE,),
        stages=("signature",),
        remedy=_SIGN_ANEW,
    ),
    CauseRule(
        "lockdown",
        "{module} carries no signature by a key that {kernel} trusts, and {kernel} is locked down {locker}: sign the"
        " module with a key that is enrolled",
        "man 7 kernel_lockdown",
        lines=(
            "Lockdown: {who}: unsigned module loading is restricted",
            "Lockdown: {who*}oading of unsigned module",
        ),
        errnos=(errno.EPERM,),
        remedy=(_STATE, *_SIGN_ANEW),
    ),
    CauseRule(
        "lockdown-parameter",
        "a parameter of {module} names addresses of hardware, and {kernel} is locked down {locker}: then such a"
        " parameter can't be set",
        "kernel/params.c param_check_unsafe, man 7 kernel_lockdown",
        lines=("Lockdown: {who}: unsafe module parameters is restricted",),
        errnos=(errno.EPERM,),
        facts=("no parameter named",),
        remedy=(_STATE, "lkm show --parameters {subject}"),
    ),
    CauseRule(
        "kernel-blacklist",
        "the kernel command line forbids {name} (module_blacklist=): take it out there and boot again",
        "kernel/module/main.c blacklisted",
        lines=("Module {name} is blacklisted",),
        errnos=(errno.EPERM,),
        remedy=("cat /proc/cmdline", "grep -rn module_blacklist /etc/default/grub /etc/kernel/cmdline"),
    ),
    *DISABLED,
    CauseRule(
        "permission",
        "loading a module needs the capability CAP_SYS_MODULE: run as root, outside of an unprivileged container",
        "kernel/module/main.c may_init_module",
        errnos=(errno.EPERM,),
        stages=("permission",),
        remedy=("sudo lkm load {subject}",),
    ),
)
