//! Lines of CSV (RFC 4180) that spreadsheets take for text.

/// What a cell may not begin with, or a spreadsheet runs it: <https://owasp.org/www-community/attacks/CSV_Injection>.
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// One line, with its end.
pub(super) fn line<const N: usize>(cells: [&str; N]) -> String {
    let mut line = cells.map(cell).join(",");
    line.push_str("\r\n");
    line
}

fn cell(text: &str) -> String {
    let apostrophe = if text.starts_with(FORMULAS) { "'" } else { "" };
    if text.contains(['"', ',', '\r', '\n']) {
        return format!("\"{apostrophe}{}\"", text.replace('"', "\"\""));
    }
    format!("{apostrophe}{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_separates_is_quoted_and_what_computes_is_text() {
        let written = line(["plain", "a,b", "a \"b\"", "two\r\nlines", ""]);
        assert_eq!(written, "plain,\"a,b\",\"a \"\"b\"\"\",\"two\r\nlines\",\r\n");
        let written = line(["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "=HYPERLINK(\"http://a\",1)"]);
        assert_eq!(written, "'=1+1,'+1,'-1,'@SUM(A1),'\tx,\"'=HYPERLINK(\"\"http://a\"\",1)\"\r\n");
    }
}
