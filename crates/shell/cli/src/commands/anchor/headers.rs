//! Headers of blocks: from a file, or from a server that the caller believes about the chain.

use symbolon_anchor::{BlockHeader, HeaderError, HeaderList, Network, Reached};
use symbolon_codec::hex;

use super::calendar::{Server, Wire};
use crate::failure::Failure;

/// Adds the headers of the blocks that a proof leads to, as an Esplora server has them.
pub async fn fetch(
    list: &mut HeaderList,
    server: &Server,
    reached: &[Reached],
    network: Network,
) -> Result<(), Failure> {
    let wire = Wire::new();
    let failed = |why: String| {
        Failure::environment("esplora", format!("{} gave no header: {why}", server.name))
            .next("the same command with --headers FILE")
    };
    for height in reached.iter().map(|reached| reached.height) {
        let hash = wire.get(server, &format!("/block-height/{height}"), "text/plain").await;
        let hash = text(&hash.map_err(failed)?).map_err(failed)?;
        if hash.len() != 64 || !hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(failed("it names no block".to_owned()));
        }
        let header = wire.get(server, &format!("/block/{hash}/header"), "text/plain").await;
        let header = hex::decode(text(&header.map_err(failed)?).map_err(failed)?);
        let header = header.map_err(|_| failed("it is not hexadecimal".to_owned()))?;
        let header = BlockHeader::read(&header, network).map_err(refused)?;
        if header.hash_text() != hash {
            return Err(failed("it is another block's".to_owned()));
        }
        list.add(height, header).map_err(refused)?;
    }
    Ok(())
}

/// A header that proves nothing.
pub fn refused(error: HeaderError) -> Failure {
    Failure::refused("block_header", format!("not verified: {error}")).next(
        "headers of the main chain, from your own node: bitcoin-cli getblockheader HASH false",
    )
}

fn text(bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is no text".to_owned())?;
    Ok(text.trim().to_owned())
}
