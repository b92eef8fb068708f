//! Photos of citizens: judged by their first bytes, bounded before they are opened, drawn anew as JPEG, so that neither a place nor
//! anything else that was in the file is kept.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};
use std::io::Cursor;

/// Width and height at most, pixels.
const SIDE_MAX: u32 = 12_000;
/// Memory a picture may take while it is opened, bytes.
const OPEN_MAX: u64 = 200 << 20;
/// It is kept no larger than this, pixels along its longer side.
const KEPT_SIDE: u32 = 2_400;
const QUALITY: u8 = 85;

/// A picture that may be kept.
#[derive(Debug)]
pub struct Photo {
    /// JPEG.
    pub bytes: Vec<u8>,
    pub width: u32,
    pub height: u32,
}

/// Why not; the name is a key of the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPhoto {
    Kind,
    Large,
    Broken,
}

impl NoPhoto {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Kind => "error.photo_kind",
            Self::Large => "error.photo_large",
            Self::Broken => "error.photo_broken",
        }
    }
}

/// The picture in these bytes, whatever their name says.
pub fn read(bytes: &[u8]) -> Result<Photo, NoPhoto> {
    let format = match bytes {
        [0xff, 0xd8, 0xff, ..] => ImageFormat::Jpeg,
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => ImageFormat::Png,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ImageFormat::WebP,
        _ => return Err(NoPhoto::Kind),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(SIDE_MAX), Some(SIDE_MAX));
    limits.max_alloc = Some(OPEN_MAX);
    reader.limits(limits);
    let too_large = |error: &image::ImageError| matches!(error, image::ImageError::Limits(_));
    let told = |error: image::ImageError| if too_large(&error) { NoPhoto::Large } else { NoPhoto::Broken };
    let mut decoder = reader.into_decoder().map_err(told)?;
    if decoder.total_bytes() > OPEN_MAX {
        return Err(NoPhoto::Large);
    }
    let turned = decoder.orientation().map_err(told)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(told)?;
    picture.apply_orientation(turned);
    if picture.width().max(picture.height()) > KEPT_SIDE {
        picture = picture.thumbnail(KEPT_SIDE, KEPT_SIDE);
    }
    let picture = picture.into_rgb8();
    let (width, height) = picture.dimensions();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture).map_err(told)?;
    Ok(Photo { bytes, width, height })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::RgbImage;

    fn made(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let picture = DynamicImage::ImageRgb8(RgbImage::from_fn(width, height, |x, y| {
            image::Rgb([(x % 256) as u8, (y % 256) as u8, 90])
        }));
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn pictures_are_kept_small_and_bare() {
        for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP] {
            let photo = read(&made(format, 3_000, 1_500)).unwrap_or_else(|why| panic!("{format:?}: {why:?}"));
            assert_eq!((photo.width, photo.height), (2_400, 1_200), "{format:?}");
            assert_eq!(&photo.bytes[..3], &[0xff, 0xd8, 0xff]);
        }
        // A place in the file's own notes, and a page behind the picture, are gone.
        let mut bytes = made(ImageFormat::Jpeg, 40, 30);
        let note = b"Exif\0\0GPS 39.9042N 116.4074E";
        let mut exif = vec![0xff, 0xe1];
        exif.extend(u16::try_from(note.len() + 2).unwrap().to_be_bytes());
        exif.extend(note);
        bytes.splice(2..2, exif);
        bytes.extend(b"<script>alert(1)</script>");
        let photo = read(&bytes).expect("a picture");
        for secret in [&b"GPS 39"[..], b"<script>"] {
            assert!(!photo.bytes.windows(secret.len()).any(|part| part == secret));
        }
    }

    #[test]
    fn what_is_no_picture_or_too_much_of_one_is_refused() {
        for bytes in [&b""[..], b"GIF89a", b"<svg/>", b"MZ\x90", b"%PDF-1.7", b"PK\x03\x04", &[0xff, 0xd8]] {
            assert_eq!(read(bytes).unwrap_err(), NoPhoto::Kind, "{bytes:?}");
        }
        let mut torn = made(ImageFormat::Png, 200, 200);
        torn.truncate(torn.len() / 2);
        assert_eq!(read(&torn).unwrap_err(), NoPhoto::Broken);
        // Few bytes that say they are a picture of a hundred thousand pixels a side.
        let mut bomb = made(ImageFormat::Png, 8, 8);
        bomb[16..24].copy_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0]);
        let crc = crc32(&bomb[12..29]);
        bomb[29..33].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(read(&bomb).unwrap_err(), NoPhoto::Large);
    }

    /// Of a PNG's parts (ISO/IEC 15948, annex D).
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                if crc & 1 == 1 { 0xedb8_8320 ^ (crc >> 1) } else { crc >> 1 }
            })
        })
    }
}
