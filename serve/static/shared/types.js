// The types that the page's parts share, for `npx tsc`; nothing of this file runs.

/**
 * 8 rows of 8 cells over the picture, from 0 to 1.
 * @typedef {number[][]} Mask
 */

/**
 * One change of one feature, as swiggle/editing/plan.py has it. Strengths are in units of its usual activation.
 * @typedef {object} Operation
 * @property {"add" | "set" | "scale" | "ablate" | "swap"} op
 * @property {number} feature
 * @property {number} strength
 * @property {Mask | null} [mask]
 * @property {string} [from] swap only: a picture or a session
 */

/**
 * What an edit does: operations in the order in which they are applied.
 * @typedef {object} Plan
 * @property {number} version 1
 * @property {Operation[]} operations
 */

/**
 * Where a picture comes from: a sample, one of the bundle's pictures, or a data URL.
 * @typedef {{sample?: number, picture?: number, image?: string}} Source
 */

/**
 * A feature as GET /v1/features lists it.
 * @typedef {object} Feature
 * @property {number} id
 * @property {string} label
 * @property {string} source "hand", "caption", "vision" or "unexplained"
 * @property {number} confidence
 * @property {number} density
 * @property {boolean} dead
 * @property {string | null} place
 * @property {string | null} acts_on
 * @property {number} mean_activation
 * @property {number} max_activation
 * @property {number} x
 * @property {number} y
 * @property {string} group
 * @property {number} slider_low
 * @property {number} slider_high
 */

/** @typedef {Feature & {score: number}} SearchHit */

/** @typedef {{feature: number, label: string, score: number}} MatchedLabel */

/**
 * One feature in full, as GET /v1/features/{id} answers. A label that was just written comes without the rest.
 * @typedef {Feature & CardDetails} Card
 */

/**
 * @typedef {object} CardDetails
 * @property {number[]} example_ids
 * @property {MatchedLabel[]} company
 * @property {number[]} nearest
 * @property {number[]} quantile_example_ids
 * @property {number} revision
 * @property {number[]} histogram
 * @property {string | null} [examples] of an exported folder: its examples, cut out of their sheet
 * @property {string | null} [ablation] likewise: the same without it
 * @property {string | null} [strip] likewise: one picture at all strengths
 */

/**
 * Addresses of what shows a feature; null where there is none.
 * @typedef {object} CardPictures
 * @property {string | null} natural
 * @property {string | null} oneHot
 * @property {string | null} footprint
 * @property {string | null} examples
 * @property {string | null} ablation
 * @property {string | null} strip
 */

/**
 * A feature that is active in a picture.
 * @typedef {{id: number, label: string, activation: number, strength: number}} Active
 */

/**
 * A picture that was opened, as `Api.open` answers it, and what its Api has to know of it.
 * @typedef {object} Picture
 * @property {Source} source
 * @property {Active[]} active
 * @property {CanvasImageSource} [before] unedited
 * @property {string} [image] of a server: data URL
 * @property {string | null} [session] of a server
 * @property {Float32Array} [latent] of an exported folder
 * @property {Map<number, number>} [strengths] of an exported folder: feature to strength
 */

/**
 * How a dictionary was measured, as `swiggle/sae/metrics.py` has it.
 * @typedef {{l0: number, fvu: number, dense: number, density_histogram: number[]}} DictionaryMetrics
 */

/**
 * What a bundle says of the stages that made it; one made by hand may say nothing.
 * @typedef {{sweep_sae?: DictionaryMetrics, train_sae?: DictionaryMetrics, train_vae?: {psnr: number}}} Metrics
 */

/**
 * What the page is told of the bundle behind it.
 * @typedef {object} Model
 * @property {number} image_size
 * @property {string} [subject] what it calls what its pictures show; not in folders exported by earlier releases
 * @property {string} dictionary
 * @property {number} features
 * @property {number} samples
 * @property {Metrics} [metrics] by stage
 * @property {Record<string, string>} [files] of a server: hashes by name
 * @property {string} [version] of an exported folder
 * @property {number} [latent_dim] of an exported folder
 * @property {number} [ablated] of an exported folder: of how many examples it has pictures without a feature
 * @property {[number, number][] | null} [layers] of an exported folder: [rows, columns] in the order of decoder.bin; null
 *   for a decoder that does not run here
 */

/**
 * Why a prompt led to what it did.
 * @typedef {object} Reason
 * @property {string} text
 * @property {string} action
 * @property {number[]} features
 * @property {MatchedLabel[]} matched
 * @property {string[]} nearest
 * @property {string[]} alternatives
 */

/**
 * A prompt of an edit. `plan` is what it makes together with the prompts before it, without what was changed by hand, and
 * `reasons` are its own. A link has no reasons, and of prompts but the last it once had no plans either.
 * @typedef {{text: string, plan?: Plan, reasons?: Reason[]}} Prompted
 */

/** @typedef {readonly Prompted[]} Asked */

/** @typedef {Error & {code?: string}} PageError */

/**
 * @typedef {object} Live
 * @property {string} by how the last frame came
 * @property {(picture: Picture, plan: Plan) => void} send
 */

/**
 * @typedef {object} LiveListeners
 * @property {(frame: CanvasImageSource, newest: boolean) => void} onFrame
 * @property {(error: PageError) => void} onError
 */

/**
 * What the page asks of the world behind it. Two classes answer: `HttpApi` the server, `StaticApi` an exported folder,
 * where the decoder runs in the browser. Everything else on the page is the same for both. Its events are `lost` and
 * `back`: when the server cannot be reached, and when it can again.
 * @typedef {EventTarget & ApiMembers} Api
 */

/**
 * @typedef {object} ApiMembers
 * @property {{steer: boolean, prompt: boolean, upload: boolean, publish: boolean}} can what this one can do; steer: there
 *   are pictures to edit and sliders to do it with; publish: labels are everybody's
 * @property {boolean} lost whether the server cannot be reached now
 * @property {() => Promise<Model>} model
 * @property {() => Promise<Feature[]>} features every feature, by number
 * @property {(kind: string) => string} spritesUrl one picture of all features, 32 x 32 tiles in rows of 64: `natural` or
 *   `example`
 * @property {(index: number) => string} sampleUrl address of a picture to start from
 * @property {(source: Source) => Promise<Picture>} open
 * @property {() => Promise<Source>} random
 * @property {(picture: Picture, plan: Plan) => Promise<CanvasImageSource>} steer the edited picture
 * @property {(listeners: LiveListeners) => Live} live like steer while a slider moves, never an old frame last
 * @property {(picture: Picture, prompt: string) => Promise<{plan: Plan, reasons: Reason[]}>} edit
 * @property {(query: string, limit?: number) => Promise<SearchHit[]>} search best first
 * @property {(id: number) => Promise<Card>} card
 * @property {(card: {id: number, example_ids: number[], examples?: string | null}) => CardPictures} cardPictures
 * @property {(id: number) => string | null} pictureUrl address of an example picture
 * @property {(id: number, label: string | null, revision?: number) => Promise<Feature & Partial<CardDetails>>} putLabel
 *   the feature as it is then; throws `conflict` for a label that changed since
 * @property {() => Promise<{labels: Record<string, string>, dictionary: string}>} labels those by hand
 * @property {(labels: Record<string, string>, dictionary?: string) => Promise<void>} putLabels throws
 *   `other_dictionary` for those of another one
 * @property {() => Promise<boolean>} [retry] of a server: whether it answers
 */

/**
 * What the elements are that `within` finds, where the page needs more of them than of any element.
 * @typedef {{
 *   brush: HTMLCanvasElement, "brush-icon": HTMLCanvasElement, map: HTMLCanvasElement, picture: HTMLCanvasElement,
 *   undo: HTMLButtonElement, redo: HTMLButtonElement, reset: HTMLButtonElement,
 *   "key-input": HTMLInputElement, "label-input": HTMLInputElement, "new-label": HTMLInputElement, prompt: HTMLInputElement, search: HTMLInputElement,
 *   "share-link": HTMLInputElement, upload: HTMLInputElement,
 *   colour: HTMLSelectElement, pictures: HTMLSelectElement,
 *   "about-dialog": HTMLDialogElement, "key-dialog": HTMLDialogElement, "share-dialog": HTMLDialogElement, download: HTMLDetailsElement,
 *   where: HTMLImageElement,
 * }} Elements
 */

export {};
