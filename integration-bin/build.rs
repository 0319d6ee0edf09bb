//! How the program is linked.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed=CUSTOM_OPENCTI_PIE");
    let is = |name: &str, wanted: &str| std::env::var(name).is_ok_and(|value| value == wanted);
    // The program starts for every alert. As one that can lie anywhere in memory it would begin with moving 27,000
    // addresses, which is a fifth of a run. It is made of memory-safe code, and the places of its stack, its heap and its
    // libraries are as random as before; whose rules ask for more sets the variable.
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux") && is("CARGO_CFG_TARGET_ENV", "gnu");
    if is_linux && is("PROFILE", "release") && std::env::var_os("CUSTOM_OPENCTI_PIE").is_none() {
        println!("cargo:rustc-link-arg-bin=custom-opencti=-no-pie");
    }
}
