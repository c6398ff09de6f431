//! One entry of an archive, whatever dialect it was written in.

/// What an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file with data.
    File,
    /// Another name of an earlier entry, [`Entry::link`].
    HardLink,
    /// A symbolic link to [`Entry::link`].
    Symlink,
    /// A character device, [`Entry::device`].
    CharDevice,
    /// A block device, [`Entry::device`].
    BlockDevice,
    /// A directory.
    Directory,
    /// A named pipe.
    Fifo,
}

/// A time as in `struct timespec`: `seconds` may be negative, `nanos` is always 0 to 999,999,999.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Time {
    /// Since 1970.
    pub seconds: i64,
    /// Added to `seconds`.
    pub nanos: u32,
}

/// A stretch of data in a sparse file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Where it goes.
    pub offset: u64,
    /// How long it is.
    pub length: u64,
}

/// Where the data of a sparse file goes; the rest are holes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sparse {
    /// Size of the file with its holes.
    pub size: u64,
    /// In ascending order, without overlap.
    pub extents: Vec<Extent>,
}

/// The header of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name as it stands in the archive: not cleaned, not checked beyond having no NUL.
    pub path: Vec<u8>,
    /// What it makes.
    pub kind: Kind,
    /// Permission bits with set-id and sticky bits, `0o7777` at most.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Modification time.
    pub mtime: Time,
    /// Target of a link, as it stands in the archive.
    pub link: Vec<u8>,
    /// Major and minor number of a device.
    pub device: (u32, u32),
    /// Bytes of data that follow the header in the archive.
    pub size: u64,
    /// Set for a sparse file.
    pub sparse: Option<Sparse>,
    /// Extended attributes: name and value.
    pub xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Entry {
    /// An entry without data that belongs to root, dates from 1970 and has no permissions.
    pub fn new(path: impl Into<Vec<u8>>, kind: Kind) -> Self {
        Self {
            path: path.into(),
            kind,
            mode: 0,
            uid: 0,
            gid: 0,
            mtime: Time::default(),
            link: Vec::new(),
            device: (0, 0),
            size: 0,
            sparse: None,
            xattrs: Vec::new(),
        }
    }
}
