//! What is known about an indicator, in 40 bytes and shared texts.

use stix_model::marking::Tlp;
use stix_model::{Identifier, Timestamp};
use uuid::Uuid;

use super::bytes::{Cursor, push_counted, push_varint, u32_at};
use crate::indicator::Indicator;

/// Bytes of a record.
pub(super) const RECORD: usize = 40;
const FROM: usize = 16;
const UNTIL: usize = 22;
const SCORE: usize = 28;
const CONFIDENCE: usize = 29;
const TYPE: usize = 30;
const FLAGS: usize = 31;
const LABELS: usize = 32;
const TEXTS: usize = 36;

const REVOKED: u8 = 1;
const COMPOUND: u8 = 2;
const TLP_SHIFT: u8 = 2;
/// No number, no text.
const NONE: u8 = u8::MAX;
const NOWHERE: u32 = u32::MAX;

/// A record as it stands in a segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record<'a>(pub(super) &'a [u8; RECORD]);

impl Record<'_> {
    #[inline]
    fn number(self, place: usize) -> u32 {
        u32_at(self.0, place).unwrap_or(NOWHERE)
    }

    pub(super) fn uuid(self) -> u128 {
        self.0.first_chunk().map_or(0, |uuid| u128::from_be_bytes(*uuid))
    }

    pub(super) fn object_type(self) -> u8 {
        self.0[TYPE]
    }

    /// By what records are ordered.
    pub(super) fn order(self) -> (u128, u8) {
        (self.uuid(), self.object_type())
    }

    pub(super) fn valid_from(self) -> Option<Timestamp> {
        time(&self.0[FROM..])
    }

    pub(super) fn valid_until(self) -> Option<Timestamp> {
        time(&self.0[UNTIL..])
    }

    pub(super) fn score(self) -> Option<u8> {
        Some(self.0[SCORE]).filter(|score| *score != NONE)
    }

    pub(super) fn confidence(self) -> Option<u8> {
        Some(self.0[CONFIDENCE]).filter(|confidence| *confidence != NONE)
    }

    pub(super) fn is_revoked(self) -> bool {
        self.0[FLAGS] & REVOKED != 0
    }

    /// Whether its values are not enough by themselves.
    pub(super) fn is_compound(self) -> bool {
        self.0[FLAGS] & COMPOUND != 0
    }

    pub(super) fn tlp(self) -> Option<Tlp> {
        let place = (self.0[FLAGS] >> TLP_SHIFT & 7).checked_sub(1)?;
        Tlp::ALL.get(usize::from(place)).copied()
    }

    /// Where its labels stand, if it has any.
    pub(super) fn labels(self) -> Option<usize> {
        Some(self.number(LABELS)).filter(|place| *place != NOWHERE).map(|place| place as usize)
    }

    /// Where its name and pattern stand, if it has any.
    pub(super) fn texts(self) -> Option<usize> {
        Some(self.number(TEXTS)).filter(|place| *place != NOWHERE).map(|place| place as usize)
    }
}

/// A number of milliseconds in six bytes, one more than since 1970, so that 0 is "none".
fn time(bytes: &[u8]) -> Option<Timestamp> {
    let mut number = [0; 8];
    number[..6].copy_from_slice(bytes.get(..6)?);
    let millis = i64::try_from(u64::from_le_bytes(number)).ok()?.checked_sub(1)?;
    if millis < 0 { None } else { Some(Timestamp::from_unix_millis(millis).unwrap_or(Timestamp::MAX)) }
}

fn time_bytes(time: Option<Timestamp>) -> [u8; 6] {
    // Nothing was observed before 1970.
    let number = time.map_or(0, |time| time.unix_millis().max(0) + 1);
    let mut bytes = [0; 6];
    bytes.copy_from_slice(&number.to_le_bytes()[..6]);
    bytes
}

/// A record of an indicator. `object_type`, `labels` and `texts` are places in the segment's tables.
pub(super) fn record(indicator: &Indicator, object_type: u8, labels: Option<u32>, texts: Option<u32>) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..16].copy_from_slice(indicator.id.uuid().as_bytes());
    bytes[FROM..UNTIL].copy_from_slice(&time_bytes(indicator.valid_from));
    bytes[UNTIL..SCORE].copy_from_slice(&time_bytes(indicator.valid_until));
    bytes[SCORE] = indicator.score.unwrap_or(NONE);
    bytes[CONFIDENCE] = indicator.confidence.unwrap_or(NONE);
    bytes[TYPE] = object_type;
    bytes[FLAGS] = (u8::from(indicator.revoked) * REVOKED) | (u8::from(indicator.pattern.is_some()) * COMPOUND);
    if let Some(tlp) = indicator.tlp {
        restrict(&mut bytes, tlp);
    }
    bytes[LABELS..TEXTS].copy_from_slice(&labels.unwrap_or(NOWHERE).to_le_bytes());
    bytes[TEXTS..].copy_from_slice(&texts.unwrap_or(NOWHERE).to_le_bytes());
    bytes
}

/// Marks a record at least as restrictive as this.
pub(super) fn restrict(record: &mut [u8; RECORD], tlp: Tlp) {
    let place = Tlp::ALL.iter().position(|other| *other == tlp);
    let number = place.and_then(|place| u8::try_from(place + 1).ok()).unwrap_or_default();
    let known = record[FLAGS] >> TLP_SHIFT & 7;
    record[FLAGS] = record[FLAGS] & !(7 << TLP_SHIFT) | number.max(known) << TLP_SHIFT;
}

/// Writes what [`texts`] reads.
pub(super) fn push_texts(out: &mut Vec<u8>, name: Option<&str>, pattern: Option<&str>) {
    push_counted(out, name.unwrap_or_default().as_bytes());
    push_counted(out, pattern.unwrap_or_default().as_bytes());
}

/// Name and pattern, empty where there is none.
pub(super) fn texts<'a>(cursor: &mut Cursor<'a>) -> Option<(&'a str, &'a str)> {
    Some((cursor.text()?, cursor.text()?))
}

/// Writes what [`labels`] reads.
pub(super) fn push_labels(out: &mut Vec<u8>, labels: &[Box<str>]) {
    push_varint(out, u32::try_from(labels.len()).unwrap_or(u32::MAX));
    for label in labels {
        push_counted(out, label.as_bytes());
    }
}

/// The labels of a set.
pub(super) fn labels<'a>(cursor: &mut Cursor<'a>) -> Option<Vec<&'a str>> {
    let count = cursor.varint()?;
    // A label takes a byte at least, so a hostile count ends with the bytes.
    (0..count).map(|_| cursor.text()).collect()
}

/// The identifier of a record.
pub(super) fn identifier(record: Record<'_>, types: &[Box<str>]) -> Option<Identifier> {
    let object_type = types.get(usize::from(record.object_type()))?;
    Identifier::new(object_type, Uuid::from_u128(record.uuid())).ok()
}
