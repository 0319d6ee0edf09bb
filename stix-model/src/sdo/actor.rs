//! Who and where.

use super::named;
use crate::Timestamp;

stix_object! {
    /// Attacks with a common aim (STIX 2.1, section 4.2).
    SdoCommon Campaign = "campaign" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Other names.
        aliases: Vec<String>,
        /// When it was first seen.
        first_seen: Option<Timestamp>,
        /// When it was last seen.
        last_seen: Option<Timestamp>,
        /// Its aim.
        objective: Option<String>,
    }
}

stix_object! {
    /// A person, organization, sector or system (STIX 2.1, section 4.5).
    SdoCommon Identity = "identity" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Roles it plays.
        roles: Vec<String>,
        /// Such as `individual`, `organization`, `class` or `system`.
        identity_class: Option<String>,
        /// Sectors it belongs to.
        sectors: Vec<String>,
        /// How to reach it.
        contact_information: Option<String>,
    }
}

stix_object! {
    /// Attacks and resources with common features (STIX 2.1, section 4.9).
    SdoCommon IntrusionSet = "intrusion-set" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Other names.
        aliases: Vec<String>,
        /// When it was first seen.
        first_seen: Option<Timestamp>,
        /// When it was last seen.
        last_seen: Option<Timestamp>,
        /// Its aims.
        goals: Vec<String>,
        /// Its means.
        resource_level: Option<String>,
        /// Its main motive.
        primary_motivation: Option<String>,
        /// Its other motives.
        secondary_motivations: Vec<String>,
    }
}

stix_object! {
    /// Those who attack (STIX 2.1, section 4.17).
    SdoCommon ThreatActor = "threat-actor" {
        /// Its name.
        name: String,
        /// What is known about it.
        description: Option<String>,
        /// Kinds of actor.
        threat_actor_types: Vec<String>,
        /// Other names.
        aliases: Vec<String>,
        /// When it was first seen.
        first_seen: Option<Timestamp>,
        /// When it was last seen.
        last_seen: Option<Timestamp>,
        /// Roles it plays.
        roles: Vec<String>,
        /// Its aims.
        goals: Vec<String>,
        /// Its skill.
        sophistication: Option<String>,
        /// Its means.
        resource_level: Option<String>,
        /// Its main motive.
        primary_motivation: Option<String>,
        /// Its other motives.
        secondary_motivations: Vec<String>,
        /// Motives of its members.
        personal_motivations: Vec<String>,
    }
}

stix_object! {
    /// A place (STIX 2.1, section 4.10).
    SdoCommon Location = "location" {
        /// Its name.
        name: Option<String>,
        /// What is known about it.
        description: Option<String>,
        /// Degrees north.
        latitude: Option<f64>,
        /// Degrees east.
        longitude: Option<f64>,
        /// Radius in metres in which it lies.
        precision: Option<f64>,
        /// Region, such as `western-europe`.
        region: Option<String>,
        /// ISO 3166-1 two-letter code.
        country: Option<String>,
        /// State or province.
        administrative_area: Option<String>,
        /// City.
        city: Option<String>,
        /// Street and number.
        street_address: Option<String>,
        /// Postal code.
        postal_code: Option<String>,
    }
}

named!(Campaign, IntrusionSet, ThreatActor);

impl Identity {
    /// An identity of a class (`individual`, `organization`, `class`, `system`), identified.
    pub fn new(name: impl Into<String>, identity_class: impl Into<String>, created: Timestamp) -> Self {
        Self { name: name.into(), identity_class: Some(identity_class.into()), ..Self::blank(created) }.identified()
    }
}

impl Location {
    /// A country by name and ISO 3166-1 code, identified.
    pub fn country(name: impl Into<String>, code: impl Into<String>, created: Timestamp) -> Self {
        let country = Self { country: Some(code.into()), ..Self::blank(created) };
        country.kind("Country", name)
    }

    /// A city in a country (ISO 3166-1 code), identified. STIX requires a country or region beside the city.
    pub fn city(name: impl Into<String>, country: impl Into<String>, created: Timestamp) -> Self {
        let name = name.into();
        let city = Self { city: Some(name.clone()), country: Some(country.into()), ..Self::blank(created) };
        city.kind("City", name)
    }

    /// A region, identified. The region is written in the spelling of the STIX vocabulary, such as `western-europe`.
    pub fn region(name: impl Into<String>, region: impl Into<String>, created: Timestamp) -> Self {
        Self { region: Some(region.into()), ..Self::blank(created) }.kind("Region", name)
    }

    /// A point on the map, identified.
    pub fn position(name: impl Into<String>, latitude: f64, longitude: f64, created: Timestamp) -> Self {
        let point = Self { latitude: Some(latitude), longitude: Some(longitude), ..Self::blank(created) };
        point.kind("Position", name)
    }

    fn kind(mut self, location_type: &str, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self.with("x_opencti_location_type", location_type).identified()
    }
}
