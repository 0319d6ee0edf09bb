//! Packages and their vulnerabilities.

use stix_model::sco::Software;
use stix_model::sdo::Vulnerability;
use wazuh_query::catalogue::Holds;
use wazuh_query::value::{Reading, read};

use super::group::Group;
use super::{ExtractType, Work, is_placeholder};

impl<'a> Work<'_, 'a, '_> {
    /// The package of a group, the vulnerabilities, and which has which.
    pub(super) fn software(&mut self, group: &Group<'a>) {
        let text = |holds| group.leaf(holds).filter(|leaf| !is_placeholder(leaf.text));
        let mut package = None;
        if let Some(name) = text(Holds::SoftwareName)
            && self.wants(ExtractType::Software)
        {
            let mut fields = vec![name.field];
            let mut given = |holds| {
                let leaf = text(holds)?;
                fields.push(leaf.field);
                Some(leaf.text.trim().to_owned())
            };
            let software = Software {
                name: name.text.trim().to_owned(),
                version: given(Holds::SoftwareVersion),
                vendor: given(Holds::SoftwareVendor),
                cpe: given(Holds::Cpe).filter(|cpe| cpe.starts_with("cpe:2.3:")),
                ..Software::default()
            };
            package = Some(self.add(software.identified(), fields));
        }
        if !self.wants(ExtractType::Vulnerability) {
            return;
        }
        for leaf in group.leaves.iter().filter(|leaf| leaf.holds == Holds::Vulnerability) {
            read(leaf.holds, leaf.text, &mut |reading| {
                let Reading::Text(name) = reading else { return };
                if is_placeholder(&name) || !name.contains('-') {
                    return;
                }
                let mut vulnerability = Vulnerability::new(name.into_owned(), self.created);
                let score = text(Holds::CvssScore).and_then(|leaf| leaf.text.trim().parse::<f64>().ok());
                if let Some(score) = score.filter(|score| (0.0..=10.0).contains(score) && *score > 0.0) {
                    vulnerability = vulnerability.with("x_opencti_cvss_base_score", score);
                }
                if let Some(severity) = text(Holds::VulnerabilitySeverity) {
                    let severity = severity.text.trim().to_uppercase();
                    vulnerability = vulnerability.with("x_opencti_cvss_base_severity", severity);
                }
                let id = self.add(vulnerability, [leaf.field]);
                if let Some(package) = &package {
                    self.relate("has", package, &id);
                }
            });
        }
    }
}
