//! Observables of OpenCTI.
//!
//! Other than on standard observables, score, description, labels, author and references are properties of the object
//! itself. Each is written with OpenCTI's observable extension, which declares the type.

use super::{identified_by, unset};
use crate::{ExternalReference, Identifier, Timestamp};

stix_object! {
    /// The name of a host. An observable of OpenCTI.
    ScoCommon Hostname = "hostname" {
        /// The name.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// How a client names itself. An observable of OpenCTI.
    ScoCommon UserAgent = "user-agent" {
        /// The value of the `User-Agent` header.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// Any text. An observable of OpenCTI.
    ScoCommon Text = "text" {
        /// The text.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A wallet of a cryptocurrency. An observable of OpenCTI.
    ScoCommon CryptocurrencyWallet = "cryptocurrency-wallet" {
        /// Its address.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A cryptographic key. An observable of OpenCTI.
    ScoCommon CryptographicKey = "cryptographic-key" {
        /// The key.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A telephone number. An observable of OpenCTI.
    ScoCommon PhoneNumber = "phone-number" {
        /// The number, best with the country code.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// The number a carrier gave a parcel. An observable of OpenCTI.
    ScoCommon TrackingNumber = "tracking-number" {
        /// The number.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A secret that grants access. An observable of OpenCTI.
    ScoCommon Credential = "credential" {
        /// The secret.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// What a language model was asked. An observable of OpenCTI.
    ScoCommon AiPrompt = "ai-prompt" {
        /// The prompt.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// The identity of a mobile device. An observable of OpenCTI.
    ScoCommon Imei = "imei" {
        /// 15 or 16 digits.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// The identity of a SIM card. An observable of OpenCTI.
    ScoCommon Iccid = "iccid" {
        /// 18 to 22 digits.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// The identity of a mobile subscriber. An observable of OpenCTI.
    ScoCommon Imsi = "imsi" {
        /// 14 or 15 digits.
        value: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A bank account, identified by its IBAN. An observable of OpenCTI.
    ScoCommon BankAccount = "bank-account" {
        /// International bank account number.
        iban: String,
        /// Code of the bank.
        bic: Option<String>,
        /// National account number.
        account_number: Option<String>,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A payment card, identified by its number. An observable of OpenCTI.
    ScoCommon PaymentCard = "payment-card" {
        /// The number.
        card_number: String,
        /// End of its validity.
        expiration_date: Option<Timestamp>,
        /// Verification value.
        cvv: Option<i64>,
        /// Who may use it.
        holder_name: Option<String>,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A published text, identified by its URL. An observable of OpenCTI.
    ScoCommon MediaContent = "media-content" {
        /// Where it was published.
        url: String,
        /// Title.
        title: Option<String>,
        /// The text.
        content: Option<String>,
        /// Such as `news` or `post`.
        media_category: Option<String>,
        /// When it was published.
        publication_date: Option<Timestamp>,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// A name somebody acts under. An observable of OpenCTI.
    ScoCommon Persona = "persona" {
        /// The name.
        persona_name: String,
        /// Such as `online`.
        persona_type: String,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

stix_object! {
    /// An SSH key. An observable of OpenCTI.
    ScoCommon SshKey = "ssh-key" {
        /// The fingerprint as OpenSSH prints it; what the identifier is computed over.
        value: Option<String>,
        /// Such as `ssh-ed25519`.
        key_type: Option<String>,
        /// The public key.
        public_key: Option<String>,
        /// SHA-256 fingerprint; the platform requires it.
        fingerprint_sha256: Option<String>,
        /// MD5 fingerprint.
        fingerprint_md5: Option<String>,
        /// Length in bits.
        key_length: Option<i64>,
        /// Comment.
        comment: Option<String>,
        /// When it was made.
        created: Option<Timestamp>,
        /// End of its validity.
        expiration_date: Option<Timestamp>,
        /// What is known about it.
        description: Option<String>,
        /// Score, 0 to 100.
        score: Option<i64>,
        /// Labels.
        labels: Vec<String>,
        /// The author.
        created_by_ref: Option<Identifier>,
        /// Where else it is described.
        external_references: Vec<ExternalReference>,
    }
}

identified_by!(
    Hostname.value,
    UserAgent.value,
    Text.value,
    CryptocurrencyWallet.value,
    CryptographicKey.value,
    PhoneNumber.value,
    TrackingNumber.value,
    Credential.value,
    AiPrompt.value,
    Imei.value,
    Iccid.value,
    Imsi.value,
    BankAccount.iban,
    PaymentCard.card_number,
    MediaContent.url
);
unset!(Persona, SshKey);

impl Persona {
    /// The persona with this name and type, identified.
    pub fn new(persona_name: impl Into<String>, persona_type: impl Into<String>) -> Self {
        Self { persona_name: persona_name.into(), persona_type: persona_type.into(), ..Self::default() }.identified()
    }
}

impl SshKey {
    /// The key with this SHA-256 fingerprint (`SHA256:…`), identified.
    pub fn new(fingerprint: impl Into<String>) -> Self {
        let fingerprint = fingerprint.into();
        Self { value: Some(fingerprint.clone()), fingerprint_sha256: Some(fingerprint), ..Self::default() }.identified()
    }
}
