// Words of the page for sheets of paper: loaded with it.
import { alsoSays } from '.'
import en from './paper.en.json'
import zh from './paper.zh-CN.json'

alsoSays({ 'zh-CN': zh, en })
