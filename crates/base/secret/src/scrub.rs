//! Forgetting: memory and registers.

/// Overwrites `bytes` with zeros in a way that the optimiser may not leave out.
pub fn wipe(bytes: &mut [u8]) {
    // SAFETY: the slice is valid for writes of its length.
    unsafe { wipe_raw(bytes.as_mut_ptr(), bytes.len()) }
}

/// # Safety
/// `ptr` must be valid for writes of `len` bytes.
#[inline]
pub(crate) unsafe fn wipe_raw(ptr: *mut u8, len: usize) {
    // SAFETY: the caller's promise. The empty assembly claims to read the memory, so the writes
    // before it cannot be removed.
    unsafe {
        std::ptr::write_bytes(ptr, 0, len);
        #[cfg(not(target_family = "wasm"))]
        std::arch::asm!("/* {0} */", in(reg) ptr, options(nostack, preserves_flags, readonly));
        // There is no assembly to put in line here; an address that got out does the same.
        #[cfg(target_family = "wasm")]
        std::hint::black_box(ptr);
    }
}

/// Wipes what functions that have returned left on this thread's stack: [`STACK_WIPED`] bytes below
/// the caller's frame. Then clears the registers.
///
/// For what came from elsewhere into ordinary memory and turned out to be secret: a parser or a
/// `memcpy` may have spilled some of it. Call it from as high up as can be, for what lies above the
/// caller stays.
#[inline(never)]
pub fn wipe_stack() {
    let mut below = std::mem::MaybeUninit::<[u8; STACK_WIPED]>::uninit();
    // SAFETY: a local of that size.
    unsafe { wipe_raw(below.as_mut_ptr().cast(), STACK_WIPED) };
    scrub_registers();
}

/// An unoptimised call, from socket to receipt, takes less than half of it.
pub const STACK_WIPED: usize = 256 * 1024;

/// Clears the registers that a called function may leave anything in: the general ones that need
/// not be preserved, and all vector registers.
///
/// A core dump has the registers of each thread, and those hold the last bytes that a `memcpy` or
/// a cipher moved, until something else uses them. So this runs before any system call that
/// follows the handling of a secret. Registers that a function must preserve hold the caller's
/// own values again when it returns.
#[inline]
pub fn scrub_registers() {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            x86::scrub_avx512();
        } else if std::is_x86_feature_detected!("avx") {
            x86::scrub_avx();
        } else {
            x86::scrub_sse();
        }
    }
    #[cfg(target_arch = "aarch64")]
    arm::scrub_neon();
}

/// Naked functions with the platform's calling convention: the compiler already assumes that every
/// register cleared here is lost over the call, so no list of clobbers can be wrong.
#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::naked_asm;

    macro_rules! general {
        () => {
            "xor eax, eax
             xor ecx, ecx
             xor edx, edx
             xor esi, esi
             xor edi, edi
             xor r8d, r8d
             xor r9d, r9d
             xor r10d, r10d
             xor r11d, r11d
             ret"
        };
    }

    /// `vzeroall` clears 0 to 15 whole; 16 to 31 are what glibc's `memcpy` uses on such machines.
    #[unsafe(naked)]
    pub(super) extern "sysv64" fn scrub_avx512() {
        naked_asm!(
            "vpxord zmm16, zmm16, zmm16",
            "vpxord zmm17, zmm17, zmm17",
            "vpxord zmm18, zmm18, zmm18",
            "vpxord zmm19, zmm19, zmm19",
            "vpxord zmm20, zmm20, zmm20",
            "vpxord zmm21, zmm21, zmm21",
            "vpxord zmm22, zmm22, zmm22",
            "vpxord zmm23, zmm23, zmm23",
            "vpxord zmm24, zmm24, zmm24",
            "vpxord zmm25, zmm25, zmm25",
            "vpxord zmm26, zmm26, zmm26",
            "vpxord zmm27, zmm27, zmm27",
            "vpxord zmm28, zmm28, zmm28",
            "vpxord zmm29, zmm29, zmm29",
            "vpxord zmm30, zmm30, zmm30",
            "vpxord zmm31, zmm31, zmm31",
            "kxorw k0, k0, k0",
            "kxorw k1, k1, k1",
            "kxorw k2, k2, k2",
            "kxorw k3, k3, k3",
            "kxorw k4, k4, k4",
            "kxorw k5, k5, k5",
            "kxorw k6, k6, k6",
            "kxorw k7, k7, k7",
            "vzeroall",
            general!(),
        )
    }

    #[unsafe(naked)]
    pub(super) extern "sysv64" fn scrub_avx() {
        naked_asm!("vzeroall", general!())
    }

    #[unsafe(naked)]
    pub(super) extern "sysv64" fn scrub_sse() {
        naked_asm!(
            "pxor xmm0, xmm0",
            "pxor xmm1, xmm1",
            "pxor xmm2, xmm2",
            "pxor xmm3, xmm3",
            "pxor xmm4, xmm4",
            "pxor xmm5, xmm5",
            "pxor xmm6, xmm6",
            "pxor xmm7, xmm7",
            "pxor xmm8, xmm8",
            "pxor xmm9, xmm9",
            "pxor xmm10, xmm10",
            "pxor xmm11, xmm11",
            "pxor xmm12, xmm12",
            "pxor xmm13, xmm13",
            "pxor xmm14, xmm14",
            "pxor xmm15, xmm15",
            general!(),
        )
    }
}

#[cfg(target_arch = "aarch64")]
mod arm {
    use std::arch::naked_asm;

    /// The low halves of v8 to v15 are the caller's; their high halves are nobody's.
    #[unsafe(naked)]
    pub(super) extern "C" fn scrub_neon() {
        naked_asm!(
            "movi v0.2d, #0",
            "movi v1.2d, #0",
            "movi v2.2d, #0",
            "movi v3.2d, #0",
            "movi v4.2d, #0",
            "movi v5.2d, #0",
            "movi v6.2d, #0",
            "movi v7.2d, #0",
            "mov v8.d[1], xzr",
            "mov v9.d[1], xzr",
            "mov v10.d[1], xzr",
            "mov v11.d[1], xzr",
            "mov v12.d[1], xzr",
            "mov v13.d[1], xzr",
            "mov v14.d[1], xzr",
            "mov v15.d[1], xzr",
            "movi v16.2d, #0",
            "movi v17.2d, #0",
            "movi v18.2d, #0",
            "movi v19.2d, #0",
            "movi v20.2d, #0",
            "movi v21.2d, #0",
            "movi v22.2d, #0",
            "movi v23.2d, #0",
            "movi v24.2d, #0",
            "movi v25.2d, #0",
            "movi v26.2d, #0",
            "movi v27.2d, #0",
            "movi v28.2d, #0",
            "movi v29.2d, #0",
            "movi v30.2d, #0",
            "movi v31.2d, #0",
            "mov x0, xzr",
            "mov x1, xzr",
            "mov x2, xzr",
            "mov x3, xzr",
            "mov x4, xzr",
            "mov x5, xzr",
            "mov x6, xzr",
            "mov x7, xzr",
            "mov x8, xzr",
            "mov x9, xzr",
            "mov x10, xzr",
            "mov x11, xzr",
            "mov x12, xzr",
            "mov x13, xzr",
            "mov x14, xzr",
            "mov x15, xzr",
            "mov x16, xzr",
            "mov x17, xzr",
            "ret",
        )
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::*;
    use std::arch::asm;

    #[test]
    fn a_register_that_held_a_value_is_zero_after() {
        if !std::is_x86_feature_detected!("avx512f") {
            return; // registers 16 to 31 exist only there
        }
        let (low, high, control): (u64, u64, u64);
        // SAFETY: the registers are written and read inside one block around the call, which
        // preserves what its convention says; all others are declared lost.
        unsafe {
            asm!(
                "vpbroadcastq zmm5, rax",
                "vpbroadcastq zmm29, rax",
                "vmovq r12, xmm29",
                "mov r13, rsp",
                "and rsp, -64",
                "call {scrub}",
                "mov rsp, r13",
                "vmovq r14, xmm5",
                "vmovq r15, xmm29",
                scrub = sym x86::scrub_avx512,
                in("rax") 0x5ec2_e75e_c2e7_5ec2_u64,
                out("r12") control, out("r13") _, out("r14") low, out("r15") high,
                clobber_abi("sysv64"),
            );
        }
        assert_eq!(control, 0x5ec2_e75e_c2e7_5ec2, "the value was there");
        assert_eq!((low, high), (0, 0));
    }

    #[test]
    fn what_a_function_left_on_the_stack_is_gone() {
        #[inline(never)]
        fn leave() {
            let mut left = [0u8; 64];
            left.fill(std::hint::black_box(0xA7));
            std::hint::black_box(&mut left);
        }
        let mut stack = vec![0u64; (STACK_WIPED + 64 * 1024) / 8];
        let mut left_after = |then: fn()| {
            // SAFETY: the stack is ours, aligned, larger than what both functions take, and
            // neither unwinds.
            unsafe {
                psm::on_stack(stack.as_mut_ptr().cast(), stack.len() * 8, || {
                    leave();
                    then();
                });
            }
            stack.iter().filter(|word| **word == u64::from_ne_bytes([0xA7; 8])).count()
        };
        assert!(left_after(|| {}) >= 4, "the control: it was there");
        assert_eq!(left_after(wipe_stack), 0);
    }

    #[test]
    fn wipe_leaves_zeros() {
        let mut bytes = vec![7u8; 1000];
        wipe(&mut bytes);
        assert!(bytes.iter().all(|b| *b == 0));
    }
}
