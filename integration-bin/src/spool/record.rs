//! One record of the spool: a header that tells damage, then the alert.

/// What a record begins with. It is no text that JSON could hold.
const MAGIC: [u8; 4] = [0xf5, b'W', b'O', 0x01];
/// Magic, length, checksum, time.
pub(super) const HEADER: usize = 4 + 4 + 4 + 8;
/// No alert is longer; a length beyond this is damage.
pub(super) const LONGEST: usize = 16 * 1024 * 1024;

/// An alert that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// When it was put there, in milliseconds since 1970.
    pub(crate) time: i64,
    /// The alert as it came.
    pub(crate) alert: Vec<u8>,
}

/// Writes a record. `None` if it is too long.
pub(super) fn encode(time: i64, alert: &[u8]) -> Option<Vec<u8>> {
    let length = u32::try_from(alert.len()).ok().filter(|_| alert.len() <= LONGEST)?;
    let mut bytes = Vec::with_capacity(HEADER + alert.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&length.to_le_bytes());
    bytes.extend_from_slice(&checksum(length, time, alert).to_le_bytes());
    bytes.extend_from_slice(&time.to_le_bytes());
    bytes.extend_from_slice(alert);
    Some(bytes)
}

/// What stands at a place of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A record, and where the next one begins.
    Record(Record, usize),
    /// Bytes that are no record, as a write that was cut off leaves them; the next record may begin at this place.
    Damage(usize),
    /// Nothing more.
    End,
}

/// Reads the record at `place`.
pub(super) fn decode(bytes: &[u8], place: usize) -> Next {
    let Some(rest) = bytes.get(place..).filter(|rest| !rest.is_empty()) else { return Next::End };
    if let Some(record) = read(rest) {
        let end = place + HEADER + record.alert.len();
        return Next::Record(record, end);
    }
    let next = rest.get(1..).unwrap_or_default().windows(MAGIC.len()).position(|window| window == MAGIC);
    Next::Damage(next.map_or(bytes.len(), |next| place + 1 + next))
}

fn read(rest: &[u8]) -> Option<Record> {
    let (magic, rest) = rest.split_first_chunk::<4>()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<4>()?;
    let (time, rest) = rest.split_first_chunk::<8>()?;
    let (length, time) = (u32::from_le_bytes(*length), i64::from_le_bytes(*time));
    let alert = rest.get(..usize::try_from(length).ok()?)?;
    let whole = *magic == MAGIC && checksum(length, time, alert) == u32::from_le_bytes(*sum);
    whole.then(|| Record { time, alert: alert.to_vec() })
}

fn checksum(length: u32, time: i64, alert: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&length.to_le_bytes());
    hasher.update(&time.to_le_bytes());
    hasher.update(alert);
    hasher.finalize()
}
