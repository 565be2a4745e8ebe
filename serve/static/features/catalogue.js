// All features as the map, the lists and the sliders name them. Labels change here when someone writes one.

/** @import { Feature } from "../shared/types.js" */

export class Catalogue extends EventTarget {
  /** @type {Feature[]} */
  list = [];

  /** @param {Feature[]} features */
  fill(features) {
    this.list = features;
    this.dispatchEvent(new Event("change"));
  }

  /**
   * @param {number} id
   * @returns {Feature | undefined}
   */
  get(id) {
    return this.list[id];
  }

  /** @param {number} id */
  label(id) {
    return this.list[id]?.label ?? `feature ${id}`;
  }

  /**
   * Take over what the server says of one feature.
   * @param {Feature} row
   */
  update(row) {
    if (!this.list[row.id]) return;
    this.list[row.id] = { ...this.list[row.id], ...row };
    this.dispatchEvent(new Event("change"));
  }

  /**
   * From where to where a feature's slider goes: its safe strengths if the bundle knows them, else what pictures have.
   * @param {number} id
   */
  range(id) {
    const feature = this.list[id];
    const usual = feature && feature.mean_activation > 0 ? feature.max_activation / feature.mean_activation : 2;
    return {
      low: Math.min(0, feature?.slider_low ?? 0),
      high: feature?.slider_high || Math.min(4, Math.max(2, usual)), // 0: no strength was found to be seen
    };
  }
}

/**
 * Whether a feature has a name; also of one that is not known, as in a plan from elsewhere or while the list is loading.
 * @param {Pick<Feature, "source"> | undefined} feature
 */
export const isNamed = (feature) => feature !== undefined && feature.source !== "unexplained";
/** @param {Pick<Feature, "source" | "label"> | undefined} feature */
export const nameOf = (feature) => (feature && isNamed(feature) ? feature.label : "unexplained");
/** @param {Feature} feature */
export const kindOf = (feature) =>
  isNamed(feature) ? (feature.acts_on ?? feature.place ?? "other") : "unexplained";
