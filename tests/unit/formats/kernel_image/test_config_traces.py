"""What texts in an image tell of its configuration."""

from lkm.formats.kernel_image.config_traces import options_of


def test_texts_stand_for_options() -> None:
    image = (
        b"\0\0014%s: module verification failed: signature and/or required key missing\0not an xz compressed module\n"
    )
    assert options_of(image) == ("MODULE_SIG", "MODULE_DECOMPRESS", "MODULE_COMPRESS_XZ")
    assert options_of(b"") == ()
