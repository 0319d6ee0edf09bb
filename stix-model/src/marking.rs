//! Markings (STIX 2.1, section 7.2) and the Traffic Light Protocol, versions 1 and 2.

use std::{fmt, str::FromStr};

use uuid::Uuid;

use crate::{Extra, Identifier, Timestamp};

stix_object! {
    /// A marking definition (STIX 2.1, section 7.2.1). It has no versions, hence no `modified`.
    MarkingCommon MarkingDefinition = "marking-definition" {
        /// Its name, such as `TLP:GREEN`.
        name: Option<String>,
        /// `tlp` or `statement`; extensions may define others.
        definition_type: Option<String>,
        /// What it says; the shape depends on the type.
        definition: Extra,
    }
}

impl MarkingDefinition {
    /// A marking outside TLP, such as `PAP` and `PAP:AMBER`, in the form that OpenCTI reads.
    pub fn new(definition_type: impl Into<String>, definition: impl Into<String>, created: Timestamp) -> Self {
        let (definition_type, definition) = (definition_type.into(), definition.into());
        let properties = serde_json::json!({"definition_type": definition_type, "definition": definition});
        let mut marking = Self { definition_type: Some("statement".to_owned()), ..Self::blank(created) };
        marking.definition.set("statement", "custom");
        marking.extra.set("x_opencti_definition_type", definition_type);
        marking.extra.set("x_opencti_definition", definition);
        if let Some(id) = crate::id::deterministic(Self::TYPE, &properties) {
            marking.common.id = id;
        }
        marking
    }

    /// The level, if this is a TLP marking: by its identifier, its definition, or OpenCTI's properties.
    pub fn tlp(&self) -> Option<Tlp> {
        let by_definition = || match self.extra.get_str("x_opencti_definition") {
            Some(text) => tlp_text(&text),
            None => self.definition.get_str("tlp").and_then(|level| level.parse().ok()),
        };
        Tlp::from_identifier(self.id()).or_else(by_definition).or_else(|| self.name.as_deref().and_then(tlp_text))
    }
}

/// A level that is written with its prefix.
fn tlp_text(text: &str) -> Option<Tlp> {
    let prefix = text.trim().get(..4)?;
    if prefix.eq_ignore_ascii_case("TLP:") { text.parse().ok() } else { None }
}

/// A level of the Traffic Light Protocol, from the least to the most restricted.
///
/// ```
/// use stix_model::marking::Tlp;
///
/// let limit: Tlp = "tlp:amber".parse()?;
/// assert!(Tlp::Green < limit && limit < Tlp::AmberStrict);
/// assert_eq!("WHITE".parse(), Ok(Tlp::Clear));
/// # Ok::<(), stix_model::marking::TlpError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tlp {
    /// May be told to everybody. Called WHITE in TLP 1.
    Clear,
    /// May be told to the community.
    Green,
    /// May be told to the own organization and its clients.
    Amber,
    /// May be told to the own organization.
    AmberStrict,
    /// For the recipients only.
    Red,
}

impl Tlp {
    /// All levels, from the least to the most restricted.
    pub const ALL: [Self; 5] = [Self::Clear, Self::Green, Self::Amber, Self::AmberStrict, Self::Red];

    /// The identifier OpenCTI uses: those of TLP 1 for WHITE (CLEAR), GREEN, AMBER and RED, its own for AMBER+STRICT.
    pub fn identifier(self) -> Identifier {
        Identifier::from_static(MarkingDefinition::TYPE, self.uuid())
    }

    /// The level of a marking, by the identifiers of TLP 1 (STIX 2.1, section 7.2.1.4), of OpenCTI, and of the TLP 2
    /// definitions published by OASIS.
    pub fn from_identifier(id: &Identifier) -> Option<Self> {
        if id.object_type() != MarkingDefinition::TYPE {
            return None;
        }
        Self::ALL.into_iter().find(|level| level.uuid() == id.uuid() || level.oasis_uuid() == id.uuid())
    }

    /// The definition to put into a bundle, in the form OpenCTI reads.
    pub fn definition(self) -> MarkingDefinition {
        // 2017-01-20, the date of the definitions in the standard.
        let created = Timestamp::from_unix_millis(1_484_870_400_000).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut marking = match self {
            Self::Clear | Self::AmberStrict => MarkingDefinition::new("TLP", self.to_string(), created),
            Self::Green | Self::Amber | Self::Red => {
                let mut marking = MarkingDefinition::blank(created);
                marking.definition_type = Some("tlp".to_owned());
                marking.name = Some(self.to_string());
                marking.definition.set("tlp", self.level().to_ascii_lowercase());
                marking
            }
        };
        marking.common.id = self.identifier();
        marking
    }

    /// The most restricted level among markings, `None` if none of them is a TLP marking.
    pub fn highest<'a>(markings: impl IntoIterator<Item = &'a Identifier>) -> Option<Self> {
        markings.into_iter().filter_map(Self::from_identifier).max()
    }

    /// The name without its prefix.
    fn level(self) -> &'static str {
        match self {
            Self::Clear => "CLEAR",
            Self::Green => "GREEN",
            Self::Amber => "AMBER",
            Self::AmberStrict => "AMBER+STRICT",
            Self::Red => "RED",
        }
    }

    const fn uuid(self) -> Uuid {
        Uuid::from_u128(match self {
            Self::Clear => 0x613f_2e26_407d_48c7_9eca_b8e9_1df9_9dc9,
            Self::Green => 0x3409_8fce_860f_48ae_8e50_ebd3_cc5e_41da,
            Self::Amber => 0xf88d_31f6_486f_44da_b317_0133_3bde_0b82,
            Self::AmberStrict => 0x8265_78e1_40ad_459f_bc73_ede0_76f8_1f37,
            Self::Red => 0x5e57_c739_391a_4eb3_b6be_7d15_ca92_d5ed,
        })
    }

    const fn oasis_uuid(self) -> Uuid {
        Uuid::from_u128(match self {
            Self::Clear => 0x9486_8c89_83c2_464b_929b_a1a8_aa3c_8487,
            Self::Green => 0xbab4_a63c_aed9_4cf5_a766_dfca_5aba_c2bb,
            Self::Amber => 0x55d9_20b0_5e8b_4f79_9ee9_91f8_68d9_b421,
            Self::AmberStrict => 0x939a_9414_2ddd_4d32_a0cd_375e_a402_b003,
            Self::Red => 0xe828_b379_4e03_4974_9ac4_e53a_884c_97c1,
        })
    }
}

impl FromStr for Tlp {
    type Err = TlpError;

    /// The prefix `TLP:` is optional, case does not matter, WHITE is CLEAR.
    fn from_str(input: &str) -> Result<Self, TlpError> {
        let text = input.trim().to_ascii_uppercase();
        let level = text.strip_prefix("TLP:").unwrap_or(&text).trim();
        match level {
            "CLEAR" | "WHITE" => Ok(Self::Clear),
            "GREEN" => Ok(Self::Green),
            "AMBER" => Ok(Self::Amber),
            "AMBER+STRICT" | "AMBER-STRICT" | "AMBER STRICT" => Ok(Self::AmberStrict),
            "RED" => Ok(Self::Red),
            _ => Err(TlpError { input: crate::identifier::shorten(input) }),
        }
    }
}

impl fmt::Display for Tlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TLP:{}", self.level())
    }
}

/// Text that is not a level of the Traffic Light Protocol.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid TLP level `{input}`: expected CLEAR, GREEN, AMBER, AMBER+STRICT or RED")]
pub struct TlpError {
    input: Box<str>,
}
