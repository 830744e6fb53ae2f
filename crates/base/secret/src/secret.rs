//! A value that lives in secret pages.

use std::fmt;
use std::io::{self, Read};
use std::mem::{align_of, size_of};
#[cfg(not(target_family = "wasm"))]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr::NonNull;

use subtle::ConstantTimeEq;

use crate::region::MemoryError;
use crate::slab::Block;
use crate::stack::try_on_stack;

/// A value in memory that nothing outside this process's code can read (see [`crate::protection`]).
///
/// It is filled in place, wiped on drop, has no `Clone`, and `Debug` prints its type alone. Every
/// look at it goes through [`expose`](Secret::expose), which carries an `// EXPOSE:` reason.
///
/// Constructors without `try_` end the process where the system gives no secret memory: there is
/// nothing sensible left to do for a caller that has a key half made.
pub struct Secret<T: ?Sized> {
    /// Points into `block`; its own type, so that a slice can be shorter than its block.
    value: NonNull<T>,
    /// Declared for its drop: wipes and gives the memory back, after `T`'s own drop.
    block: Block,
}

// SAFETY: a `Secret<T>` owns its `T` as a `Box<T>` does.
unsafe impl<T: ?Sized + Send> Send for Secret<T> {}
// SAFETY: as above; `&Secret<T>` gives `&T` only.
unsafe impl<T: ?Sized + Sync> Sync for Secret<T> {}

impl<T: ?Sized> Secret<T> {
    /// The value. Each call says why in an `// EXPOSE:` comment.
    #[inline]
    pub fn expose(&self) -> &T {
        // SAFETY: `value` points to an initialised `T` in `block`, which lives as long as `self`.
        unsafe { self.value.as_ref() }
    }

    /// The value, to change it in place. Each call says why in an `// EXPOSE:` comment.
    #[inline]
    pub fn expose_mut(&mut self) -> &mut T {
        // SAFETY: as in `expose`, and `&mut self` is unique.
        unsafe { self.value.as_mut() }
    }
}

impl<const N: usize> Secret<[u8; N]> {
    /// Lets `fill` write the value where it stays; the bytes are zero before. Aborts without
    /// memory.
    pub fn make(fill: impl FnOnce(&mut [u8; N])) -> Self {
        match Self::try_make(|bytes| -> Result<(), MemoryError> {
            fill(bytes);
            Ok(())
        }) {
            Ok(secret) => secret,
            Err(error) => error.abort(),
        }
    }

    /// As [`make`](Self::make); gives `fill`'s error (the page is wiped) or a [`MemoryError`].
    pub fn try_make<E: From<MemoryError>>(
        fill: impl FnOnce(&mut [u8; N]) -> Result<(), E>,
    ) -> Result<Self, E> {
        let block = Block::new(N, 1)?;
        let mut secret = Secret { value: block.as_ptr().cast::<[u8; N]>(), block };
        fill(secret.at_birth())?;
        Ok(secret)
    }

    /// The same bytes as a slice of length `N`.
    pub fn into_slice(self) -> Secret<[u8]> {
        let Parts { value, block } = self.into_parts();
        Secret { value: NonNull::slice_from_raw_parts(value.cast(), N), block }
    }
}

impl Secret<[u8]> {
    /// `len` zero bytes that `fill` writes in place. Aborts without memory.
    pub fn make_slice(len: usize, fill: impl FnOnce(&mut [u8])) -> Self {
        match Self::try_make_slice(len, |bytes| -> Result<usize, MemoryError> {
            fill(bytes);
            Ok(len)
        }) {
            Ok(secret) => secret,
            Err(error) => error.abort(),
        }
    }

    /// Up to `max_len` bytes: `fill` says how many it wrote, and the rest is wiped and cut off
    /// (a larger number counts as `max_len`).
    pub fn try_make_slice<E: From<MemoryError>>(
        max_len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<Self, E> {
        let block = Block::new(max_len, 1)?;
        let whole = NonNull::slice_from_raw_parts(block.as_ptr(), max_len);
        let mut secret = Secret { value: whole, block };
        let len = fill(secret.at_birth())?.min(max_len);
        crate::wipe(&mut secret.at_birth()[len..]);
        secret.value = NonNull::slice_from_raw_parts(whole.cast(), len);
        Ok(secret)
    }

    /// All of `reader` up to its end, read straight into secret memory.
    ///
    /// More than `max` bytes are an error of kind `InvalidData`; what was read is wiped. The
    /// reader must not keep a buffer of its own (no `BufReader`).
    pub fn read_from(mut reader: impl Read, max: usize) -> io::Result<Self> {
        Self::read_with(max, |bytes| reader.read(bytes))
    }

    /// As [`read_from`](Self::read_from), by `read(2)` on a descriptor: no buffer in between.
    #[cfg(not(target_family = "wasm"))]
    pub fn read_fd(fd: BorrowedFd<'_>, max: usize) -> io::Result<Self> {
        Self::read_with(max, |bytes| {
            // SAFETY: the descriptor is borrowed and `bytes` is valid for writes.
            let n = unsafe { libc::read(fd.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len()) };
            usize::try_from(n).map_err(|_| io::Error::last_os_error())
        })
    }

    fn read_with(
        max: usize,
        mut read: impl FnMut(&mut [u8]) -> io::Result<usize>,
    ) -> io::Result<Self> {
        let filled = Self::try_make_slice(max.saturating_add(1), |bytes| {
            let mut len = 0;
            while len < bytes.len() {
                match read(&mut bytes[len..]) {
                    Ok(0) => return Ok(len),
                    Ok(n) => len += n,
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(ReadError::Io(error)),
                }
            }
            Err(ReadError::Io(io::Error::new(
                io::ErrorKind::InvalidData,
                format!("more than {max} bytes"),
            )))
        });
        filled.map_err(|error| match error {
            ReadError::Io(error) => error,
            ReadError::Memory(error) => io::Error::new(io::ErrorKind::OutOfMemory, error),
        })
    }

    /// The same bytes as an array; gives the secret back where the length is not `N`.
    pub fn into_array<const N: usize>(self) -> Result<Secret<[u8; N]>, Self> {
        if self.len() != N {
            return Err(self);
        }
        let Parts { value, block } = self.into_parts();
        Ok(Secret { value: value.cast(), block })
    }

    /// How many bytes. Not secret here: whoever keeps a length secret pads.
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T> Secret<T> {
    /// Runs `build` on the secret stack and moves its result into secret memory: for key schedules
    /// and other values that cannot be filled in place. Aborts without memory.
    pub fn place(build: impl FnOnce() -> T) -> Self {
        match Self::try_place(build) {
            Ok(secret) => secret,
            Err(error) => error.abort(),
        }
    }

    /// As [`place`](Self::place), but says so where there is no memory.
    pub fn try_place(build: impl FnOnce() -> T) -> Result<Self, MemoryError> {
        let block = Block::new(size_of::<T>(), align_of::<T>())?;
        let value = block.as_ptr().cast::<T>();
        // SAFETY: the block is large enough and aligned, and nothing else points to it. Where
        // `build` panics the block is wiped and no `T` is dropped.
        try_on_stack(|| unsafe { value.write(build()) })?;
        Ok(Secret { value, block })
    }

    /// As [`try_place`](Self::try_place), for a `build` that can fail; its error goes through
    /// ordinary memory.
    pub fn place_or<E: From<MemoryError>>(build: impl FnOnce() -> Result<T, E>) -> Result<Self, E> {
        let block = Block::new(size_of::<T>(), align_of::<T>())?;
        let value = block.as_ptr().cast::<T>();
        // SAFETY: as in `try_place`; where `build` fails nothing was written and no `T` is dropped.
        try_on_stack(|| build().map(|built| unsafe { value.write(built) }))??;
        Ok(Secret { value, block })
    }
}

impl<T: AsRef<[u8]> + ?Sized> Secret<T> {
    /// Equality in time that depends on the lengths alone.
    pub fn ct_eq<U: AsRef<[u8]> + ?Sized>(&self, other: &Secret<U>) -> bool {
        // EXPOSE: compared in constant time, nothing is kept.
        self.ct_eq_bytes(other.expose().as_ref())
    }

    /// As [`ct_eq`](Self::ct_eq), with bytes that are not in secret memory.
    pub fn ct_eq_bytes(&self, other: &[u8]) -> bool {
        // EXPOSE: compared in constant time, nothing is kept.
        self.expose().as_ref().ct_eq(other).into()
    }
}

impl<T: ?Sized> Secret<T> {
    /// For the constructors alone: the value being filled.
    fn at_birth(&mut self) -> &mut T {
        // EXPOSE: filled in place by its own constructor.
        self.expose_mut()
    }

    /// Takes the secret apart without dropping the value.
    fn into_parts(self) -> Parts<T> {
        let this = std::mem::ManuallyDrop::new(self);
        // SAFETY: `this` is never dropped, so the block has one owner.
        Parts { value: this.value, block: unsafe { std::ptr::read(&this.block) } }
    }
}

struct Parts<T: ?Sized> {
    value: NonNull<T>,
    block: Block,
}

impl<T: ?Sized> Drop for Secret<T> {
    fn drop(&mut self) {
        // SAFETY: initialised, ours, and not used again; the block's own drop then wipes it.
        unsafe { self.value.as_ptr().drop_in_place() }
    }
}

impl<T: ?Sized> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret<{}>", std::any::type_name::<T>())
    }
}

enum ReadError {
    Io(io::Error),
    Memory(MemoryError),
}

impl From<MemoryError> for ReadError {
    fn from(error: MemoryError) -> Self {
        ReadError::Memory(error)
    }
}
