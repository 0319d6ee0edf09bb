//! Any STIX object.

use std::{borrow::Cow, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, value::RawValue};

use crate::{
    Extra, Hashes, Identifier, Timestamp, convert,
    error::{ObjectError, ObjectErrorKind, Problem},
    id::Properties,
    marking::MarkingDefinition,
    meta::{ExtensionDefinition, LanguageContent},
    opencti::{self, OpenCti},
    sco::{
        AiPrompt, Artifact, AutonomousSystem, BankAccount, Credential, CryptocurrencyWallet, CryptographicKey,
        Directory, DomainName, EmailAddr, EmailMessage, File, Hostname, Iccid, Imei, Imsi, Ipv4Addr, Ipv6Addr, MacAddr,
        MediaContent, Mutex, NetworkTraffic, PaymentCard, Persona, PhoneNumber, Process, Software, SshKey, Text,
        TrackingNumber, Url, UserAccount, UserAgent, WindowsRegistryKey, X509Certificate,
    },
    sdo::{
        AttackPattern, Campaign, CaseIncident, CaseRfi, CaseRft, Channel, CourseOfAction, DataComponent, DataSource,
        Event, Feedback, Grouping, Identity, Incident, Indicator, Infrastructure, IntrusionSet, Language, Location,
        Malware, MalwareAnalysis, Narrative, Note, ObservedData, Opinion, Report, SecurityCoverage, Task, ThreatActor,
        Tool, Vulnerability,
    },
    sro::{Relationship, Sighting},
    wire::{Props, collect_refs},
};

macro_rules! objects {
    (observables { $($sco:ident,)+ } others { $($sdo:ident,)+ }) => {
        /// Any STIX object: one variant per type of STIX 2.1 and of OpenCTI, and one for all other types.
        ///
        /// An object is read by its `type`, so that an error names the type and the property at fault. It is boxed, since
        /// types differ much in size, and objects are often moved from list to list.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        #[expect(missing_docs, reason = "each variant holds the type of its name")]
        pub enum Object {
            $($sco(Box<$sco>),)+
            $($sdo(Box<$sdo>),)+
            /// An object of a type that this model does not know.
            Unknown(UnknownObject),
        }

        impl Object {
            /// The identifier.
            pub fn id(&self) -> &Identifier {
                match self {
                    $(Self::$sco(object) => object.id(),)+
                    $(Self::$sdo(object) => object.id(),)+
                    Self::Unknown(object) => object.id(),
                }
            }

            /// Every identifier it refers to, in the order of the properties, repetitions included.
            pub fn refs(&self) -> Vec<Identifier> {
                let mut refs = Vec::new();
                self.each_ref(&mut |id| refs.push(id.clone()));
                refs
            }

            /// Calls `found` with every identifier it refers to, as [`refs`](Self::refs) lists them.
            pub(crate) fn each_ref(&self, found: &mut dyn FnMut(&Identifier)) {
                match self {
                    $(Self::$sco(object) => object.each_ref(found),)+
                    $(Self::$sdo(object) => object.each_ref(found),)+
                    Self::Unknown(object) => object.each_ref(found),
                }
            }

            /// Appends the object as JSON: the bytes that `serde_json` writes, without its generality.
            pub fn write_json(&self, out: &mut Vec<u8>) {
                match self {
                    $(Self::$sco(object) => object.write_json(out),)+
                    $(Self::$sdo(object) => object.write_json(out),)+
                    Self::Unknown(object) => out.extend_from_slice(object.raw.get().as_bytes()),
                }
            }

            /// True for observables, those of OpenCTI included.
            pub fn is_observable(&self) -> bool {
                matches!(self, $(Self::$sco(_))|+)
            }

            /// Extensions by name; `None` for objects of unknown type.
            pub fn extensions(&self) -> Option<&Extra> {
                match self {
                    $(Self::$sco(object) => Some(&object.common.extensions),)+
                    $(Self::$sdo(object) => Some(&object.common.extensions),)+
                    Self::Unknown(_) => None,
                }
            }

            /// Extensions by name, to change them; `None` for objects of unknown type.
            pub fn extensions_mut(&mut self) -> Option<&mut Extra> {
                match self {
                    $(Self::$sco(object) => Some(&mut object.common.extensions),)+
                    $(Self::$sdo(object) => Some(&mut object.common.extensions),)+
                    Self::Unknown(_) => None,
                }
            }

            /// Undeclared properties; `None` for objects of unknown type.
            pub fn extra(&self) -> Option<&Extra> {
                match self {
                    $(Self::$sco(object) => Some(&object.extra),)+
                    $(Self::$sdo(object) => Some(&object.extra),)+
                    Self::Unknown(_) => None,
                }
            }

            /// Undeclared properties, to change them; `None` for objects of unknown type.
            pub fn extra_mut(&mut self) -> Option<&mut Extra> {
                match self {
                    $(Self::$sco(object) => Some(&mut object.extra),)+
                    $(Self::$sdo(object) => Some(&mut object.extra),)+
                    Self::Unknown(_) => None,
                }
            }

            /// The markings of the whole object; `None` for objects of unknown type.
            pub fn object_marking_refs_mut(&mut self) -> Option<&mut Vec<Identifier>> {
                match self {
                    $(Self::$sco(object) => Some(&mut object.common.object_marking_refs),)+
                    $(Self::$sdo(object) => Some(&mut object.common.object_marking_refs),)+
                    Self::Unknown(_) => None,
                }
            }

            /// The markings of the whole object.
            pub fn object_marking_refs(&self) -> Vec<Identifier> {
                match self {
                    $(Self::$sco(object) => object.common.object_marking_refs.clone(),)+
                    $(Self::$sdo(object) => object.common.object_marking_refs.clone(),)+
                    Self::Unknown(object) => object.get_as("object_marking_refs").unwrap_or_default(),
                }
            }

            fn take(object_type: &str, json: &RawValue, props: Props<'_>) -> Result<Self, Problem> {
                match object_type {
                    $($sco::TYPE => $sco::take(props).map(Self::from),)+
                    $($sdo::TYPE => $sdo::take(props).map(Self::from),)+
                    _ => UnknownObject::take(json, props).map(Self::Unknown),
                }
            }
        }

        /// True for the types of observables.
        pub(crate) fn is_observable_type(object_type: &str) -> bool {
            matches!(object_type, $($sco::TYPE)|+)
        }

        impl Properties for Object {
            fn property(&self, name: &str) -> Option<Value> {
                match self {
                    $(Self::$sco(object) => object.property(name),)+
                    $(Self::$sdo(object) => object.property(name),)+
                    Self::Unknown(object) => object.property(name),
                }
            }

            fn write_property(&self, name: &str, out: &mut Vec<u8>) -> bool {
                match self {
                    $(Self::$sco(object) => object.write_property(name, out),)+
                    $(Self::$sdo(object) => object.write_property(name, out),)+
                    Self::Unknown(object) => object.write_property(name, out),
                }
            }

            fn hashes(&self) -> Option<Cow<'_, Hashes>> {
                match self {
                    $(Self::$sco(object) => object.hashes(),)+
                    $(Self::$sdo(object) => object.hashes(),)+
                    Self::Unknown(object) => object.hashes(),
                }
            }
        }

        impl Serialize for Object {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$sco(object) => object.serialize(serializer),)+
                    $(Self::$sdo(object) => object.serialize(serializer),)+
                    Self::Unknown(object) => object.serialize(serializer),
                }
            }
        }

        $(impl From<$sco> for Object {
            fn from(object: $sco) -> Self {
                Self::$sco(Box::new(object))
            }
        })+

        $(impl From<$sdo> for Object {
            fn from(object: $sdo) -> Self {
                Self::$sdo(Box::new(object))
            }
        })+

        impl From<UnknownObject> for Object {
            fn from(object: UnknownObject) -> Self {
                Self::Unknown(object)
            }
        }
    };
}

objects! {
    observables {
        AiPrompt,
        Artifact,
        AutonomousSystem,
        BankAccount,
        Credential,
        CryptocurrencyWallet,
        CryptographicKey,
        Directory,
        DomainName,
        EmailAddr,
        EmailMessage,
        File,
        Hostname,
        Iccid,
        Imei,
        Imsi,
        Ipv4Addr,
        Ipv6Addr,
        MacAddr,
        MediaContent,
        Mutex,
        NetworkTraffic,
        PaymentCard,
        Persona,
        PhoneNumber,
        Process,
        Software,
        SshKey,
        Text,
        TrackingNumber,
        Url,
        UserAccount,
        UserAgent,
        WindowsRegistryKey,
        X509Certificate,
    }
    others {
        AttackPattern,
        Campaign,
        CaseIncident,
        CaseRfi,
        CaseRft,
        Channel,
        CourseOfAction,
        DataComponent,
        DataSource,
        Event,
        Feedback,
        Grouping,
        Identity,
        Incident,
        Indicator,
        Infrastructure,
        IntrusionSet,
        Language,
        Location,
        Malware,
        MalwareAnalysis,
        Narrative,
        Note,
        ObservedData,
        Opinion,
        Report,
        SecurityCoverage,
        Task,
        ThreatActor,
        Tool,
        Vulnerability,
        Relationship,
        Sighting,
        LanguageContent,
        ExtensionDefinition,
        MarkingDefinition,
    }
}

impl Object {
    /// Reads one object. Never fails for an unknown type or property.
    pub fn from_json(json: &str) -> Result<Self, ObjectError> {
        let raw: &RawValue = serde_json::from_str(json.trim_start_matches('\u{feff}'))
            .map_err(|error| ObjectError::new(None, None, Problem::not_an_object(error)))?;
        Self::from_raw(raw)
    }

    /// Reads one object from JSON that is known to be well-formed.
    pub fn from_raw(json: &RawValue) -> Result<Self, ObjectError> {
        let props = Props::parse(json.get()).map_err(|problem| ObjectError::new(None, None, problem))?;
        let written_type = props.get_str("type").map(Cow::into_owned);
        let written_id = props.get_str("id").map(Cow::into_owned);
        let object = match &written_type {
            None => Err(Problem::missing().in_field("type")),
            Some(object_type) => Self::read(object_type, json, props),
        };
        object.map_err(|problem| ObjectError::new(written_type.as_deref(), written_id.as_deref(), problem))
    }

    fn read(written_type: &str, json: &RawValue, mut props: Props<'_>) -> Result<Self, Problem> {
        let object_type = convert::current_name(written_type);
        convert::prepare(object_type, &mut props);
        let object = Self::take(object_type, json, props)?;
        let named = object.object_type();
        if named != written_type && named != object_type {
            return Err(Problem { field: Some("id".to_owned()), kind: ObjectErrorKind::TypeMismatch });
        }
        Ok(object)
    }

    /// The type as it is written, which is the type in the identifier.
    pub fn object_type(&self) -> &str {
        self.id().object_type()
    }

    /// When it was created, for objects that say so.
    pub fn created(&self) -> Option<Timestamp> {
        self.time("created")
    }

    /// When this version was made, for objects that have versions.
    pub fn modified(&self) -> Option<Timestamp> {
        self.time("modified")
    }

    fn time(&self, name: &str) -> Option<Timestamp> {
        self.property(name)?.as_str()?.parse().ok()
    }

    /// What OpenCTI knows about it.
    pub fn opencti(&self) -> OpenCti<'_> {
        OpenCti::new(self)
    }
}

impl Object {
    /// The same object with nothing in it that STIX 2.1 reserves.
    ///
    /// OpenCTI reads the `severity` of incidents and cases at the top level and nowhere else, but STIX reserves that name
    /// and validators refuse it. This moves it into OpenCTI's extension, where [`Object::opencti`] finds it too: right for
    /// files that others read, wrong for what is sent to the platform.
    #[must_use]
    pub fn strict(mut self) -> Self {
        let severity = match &mut self {
            Self::Incident(object) => object.severity.take(),
            Self::CaseIncident(object) => object.severity.take(),
            Self::CaseRfi(object) => object.severity.take(),
            Self::CaseRft(object) => object.severity.take(),
            _ => None,
        };
        if let (Some(severity), Some(extensions)) = (severity, self.extensions_mut()) {
            let mut extension: Extra = extensions.get_as(opencti::EXTENSION).unwrap_or_default();
            if !extension.contains("extension_type") {
                extension.set("extension_type", "property-extension");
            }
            extension.set("severity", severity);
            extensions.set(opencti::EXTENSION, extension);
        }
        self
    }
}

impl FromStr for Object {
    type Err = ObjectError;

    fn from_str(json: &str) -> Result<Self, ObjectError> {
        Self::from_json(json)
    }
}

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        Self::from_raw(&raw).map_err(de::Error::custom)
    }
}

/// An object of a type that this model does not know, kept byte for byte.
#[derive(Clone, Debug)]
pub struct UnknownObject {
    id: Identifier,
    raw: Box<RawValue>,
}

impl UnknownObject {
    /// The identifier.
    pub fn id(&self) -> &Identifier {
        &self.id
    }

    /// The JSON text.
    pub fn raw(&self) -> &RawValue {
        &self.raw
    }

    /// Every identifier it refers to, sorted by property.
    pub fn refs(&self) -> Vec<Identifier> {
        let mut refs = Vec::new();
        self.each_ref(&mut |id| refs.push(id.clone()));
        refs
    }

    pub(crate) fn each_ref(&self, found: &mut dyn FnMut(&Identifier)) {
        if let Ok(props) = Props::parse(self.raw.get()) {
            for (name, raw) in props.iter() {
                collect_refs(name, raw, found);
            }
        }
    }

    /// A property as any type that can be read from JSON.
    pub fn get_as<T: de::DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.raw_property(name)?.get()).ok()
    }

    /// The JSON text of a property.
    pub fn raw_property(&self, name: &str) -> Option<&RawValue> {
        Props::parse(self.raw.get()).ok()?.into_borrowed(name)
    }

    fn take(json: &RawValue, mut props: Props<'_>) -> Result<Self, Problem> {
        let id = take_id(&mut props)?.ok_or_else(|| Problem::missing().in_field("id"))?;
        Ok(Self { id, raw: json.to_owned() })
    }
}

/// Equal when written with the same bytes.
impl PartialEq for UnknownObject {
    fn eq(&self, other: &Self) -> bool {
        self.raw.get() == other.raw.get()
    }
}

impl Properties for UnknownObject {
    fn property(&self, name: &str) -> Option<Value> {
        self.get_as(name)
    }
}

impl Serialize for UnknownObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.raw.serialize(serializer)
    }
}

/// Takes out what every object has: type, version and identifier. Observables may lack an identifier.
pub(crate) fn take_id(props: &mut Props<'_>) -> Result<Option<Identifier>, Problem> {
    props.remove("spec_version");
    let object_type = props.remove("type");
    let id = props.take::<Option<Identifier>>("id")?;
    let object_type = object_type.as_deref().and_then(crate::wire::as_str);
    let observable = object_type.is_none_or(|object_type| is_observable_type(&object_type));
    if id.is_none() && !observable {
        return Err(Problem::missing().in_field("id"));
    }
    Ok(id)
}

/// An object that must be of another type.
pub(crate) fn wrong_type<E: de::Error>(expected: &str, found: &Object) -> E {
    E::custom(format_args!("expected an object of type `{expected}`, found `{}`", found.object_type()))
}

/// A problem as an error of any deserialiser.
pub(crate) fn custom_error<E: de::Error>(problem: Problem) -> E {
    E::custom(ObjectError::new(None, None, problem))
}
