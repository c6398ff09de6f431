//! Archives as a hostile author writes them: noise, but with valid checksums, where other noise fails at once.
#![allow(clippy::expect_used)]

use proptest::{collection::vec, prelude::*};

use super::{
    Reader,
    block::{self, BLOCK},
};
use crate::Result;

/// How much data the entries of an archive have, all of which must be in the archive.
fn read_all(archive: &[u8]) -> Result<usize> {
    let mut reader = Reader::new(archive);
    let mut total = 0;
    while let Some(entry) = reader.next_entry()? {
        assert!(
            entry
                .sparse
                .is_none_or(|map| i64::try_from(map.size).is_ok())
        );
        loop {
            let count = reader.data()?.len();
            if count == 0 {
                break;
            }
            reader.consume(count);
            total += count;
        }
    }
    Ok(total)
}

/// Headers with a valid checksum, of any kind and with any numbers: what a hostile author writes, where noise fails at once.
fn forged() -> impl Strategy<Value = Vec<u8>> {
    let number = prop_oneof![
        "[0-7 ]{0,12}".prop_map(String::into_bytes),
        "0000000[0-7]{3}".prop_map(String::into_bytes),
        vec(any::<u8>(), 12),
    ];
    let records = prop_oneof![
        vec(any::<u8>(), 0..600),
        "([0-9]{1,2} (path|size|uid|mtime|GNU.sparse.(major|map|size|offset|numbytes|name))=[-0-9.,/]{0,9}\n){0,9}"
            .prop_map(String::into_bytes),
    ];
    let kind = prop::sample::select(b"\x00012345678xgLKSDVXz".to_vec());
    let block = (
        kind,
        vec(number, 6),
        "[./a-c]{0,99}",
        any::<bool>(),
        records,
    );
    let blocks = block.prop_map(|(kind, numbers, name, fits, data)| {
        let mut header = [0; BLOCK];
        let mut put = |range: std::ops::Range<usize>, text: &[u8]| {
            let length = text.len().min(range.len());
            header[range.start..range.start + length].copy_from_slice(&text[..length]);
        };
        put(block::NAME, name.as_bytes());
        let fields = [
            block::SIZE,
            block::MODE,
            block::UID,
            block::MTIME,
            block::MAJOR,
            386..498,
        ];
        for (range, number) in fields.into_iter().zip(&numbers) {
            put(range, number);
        }
        if fits {
            put(block::SIZE, format!("{:011o}", data.len()).as_bytes());
        }
        put(block::KIND..block::KIND + 1, &[kind]);
        put(block::MAGIC, block::USTAR);
        block::seal(&mut header);
        let padding = vec![0; data.len().next_multiple_of(BLOCK) - data.len()];
        [&header[..], &data, &padding].concat()
    });
    vec(blocks, 1..6).prop_map(|blocks| blocks.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        if std::env::var_os("PYCTR_TEST_FULL").is_some() { 20_000 } else { 256 }
    ))]

    #[test]
    fn forged_headers_never_panic(archive in forged()) {
        if let Ok(total) = read_all(&archive) {
            prop_assert!(total <= archive.len());
        }
    }
}
