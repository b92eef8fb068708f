// What the unit may read of a caller's words (转办内容): proposed from them, told of a third person, without what leads to him. Pure.
import names from '../i18n/district.json'

/** A clause that says who one is, or nothing. */
const DROPPED = [
  /^(我|本人)(姓|叫|是)[\p{Script=Han}]{1,4}$/u,
  /^(我)?(今年)?\d{1,3}(岁)?(了|多了)?$/u,
  /^(喂|你好|您好|嗯+|啊|那个|就是说|是这样)$/u,
]
/** Whom nobody may find by his door. */
const DOOR = /(\d+|[一二三四五六七八九十]+)(号楼|号院|栋|单元|室|门|层|号)/gu

/** `mayVisit`: the unit needs the door; who asked for secrecy keeps it. */
export function briefOf(
  words: string,
  mayVisit: boolean,
  heads = { told: '市民反映：', left: '略' },
): string {
  const left = `（${heads.left}）`
  const clauses = words
    .trim()
    .replace(/\s+/gu, ' ')
    .split(/([，。！？；,!?;\n])/u)
  let out = ''
  for (let n = 0; n < clauses.length; n += 2) {
    const clause = (clauses[n] ?? '').trim()
    const mark = clauses[n + 1] ?? ''
    if (!clause || DROPPED.some((one) => one.test(clause))) {
      // The sentence still ends where it did.
      if (/[。！？!?\n]/u.test(mark)) out = out.replace(/[，；,;]$/u, '。')
      continue
    }
    out += clause + mark
  }
  out = out
    .replace(/\+?\d[\d -]{6,}\d/gu, left)
    .replace(/(^|[，。！？；,!?;])(我|我们|我家)住在?/gu, '$1家住')
    .replace(/(我们|咱们|我)家/gu, '其家')
    .replace(/我们|咱们/gu, '居民')
    .replace(/(我|本人)(?!市|区|国)/gu, '其')
    .replace(/^[，；,;\s]+/u, '')
    .trim()
  if (!mayVisit) out = out.replace(DOOR, '').replace(/其(姓|叫)[\p{Script=Han}]{1,3}/gu, '其')
  return out ? `${heads.told}${out}` : ''
}

/** The words' theme beside the category: who, when, how often. */
const TAGS: [string, RegExp][] = [
  ['供暖季', /暖气|供暖|供热|室温/u],
  ['老年人', /老人|老年|大爷|大妈|(我|今年|都)\s*([6-9]\d|1[01]\d)\s*(岁|了|多)/u],
  ['未成年人', /孩子|学生|未成年|小孩|幼儿/u],
  ['残疾人', /残疾|轮椅|盲道|听障/u],
  ['孕产妇', /孕妇|怀孕|产妇/u],
  ['夜间', /半夜|夜里|深夜|凌晨/u],
  ['重复诉求', /第[二三四五2-5]次|又打|打过(好)?几次|多次/u],
  ['极端天气', /暴雨|大雪|台风|大风|结冰/u],
]
export const likelyTags = (words: string): string[] =>
  TAGS.filter(([, told]) => told.test(words)).map(([tag]) => tag)

/** The unit of the street, as it assists where something is; nothing when the district names none. */
export function unitOfStreet(street: string): string {
  const unit = street ? `st${street.slice(-3)}` : ''
  return unit in names.unit ? unit : ''
}
