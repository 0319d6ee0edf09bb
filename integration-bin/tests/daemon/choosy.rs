//! A platform that has no answer to some questions, for both programs of tests.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

/// Stands before the platform and has no answer to a question with this text in it.
pub(crate) fn choosy(platform: &str, without: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let platform = platform.trim_start_matches("http://").to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, platform) = (stream.unwrap(), platform.clone());
            std::thread::spawn(move || {
                let Some(request) = request(&mut stream) else { return };
                if request.windows(without.len()).any(|window| window == without.as_bytes()) {
                    let refusal =
                        "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 4\r\nconnection: close\r\n\r\noops";
                    let _gone = stream.write_all(refusal.as_bytes());
                    return;
                }
                let mut behind = TcpStream::connect(platform).unwrap();
                let line = request.windows(2).position(|window| window == b"\r\n").unwrap() + 2;
                let request = [&request[..line], b"connection: close\r\n", &request[line..]].concat();
                behind.write_all(&request).unwrap();
                let _gone = std::io::copy(&mut behind, &mut stream);
            });
        }
    });
    url
}

/// Reads a request with its body.
pub(crate) fn request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        if let Some(head) = text.find("\r\n\r\n") {
            let length = text[..head].split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= head + 4 + length {
                return Some(request);
            }
        }
    }
}
